// A leaf of the cgroup2 hierarchy of this machine, where one may be made: what no fixture file can
// show.
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "../core/cgroup_reader.h"
#include "../core/proc_reader.h"
#include "check.h"
#include "child.h"
#include "leaf.h"
#include "temp_tree.h"

namespace episcope {
namespace {

using test::Child;
using test::Leaf;
using test::write_file;

TEST(real_cgroup_counts_a_member_and_is_removed) {
  Leaf leaf;
  if (!leaf) return;
  const auto buffer = std::make_unique<ReadBuffer>();
  CgroupReader reader;
  Reading out;
  CHECK(!reader.open(leaf.mount().c_str(), leaf.name().c_str(), true));
  CHECK(reader.populated(*buffer) == Populated::kNo);
  {
    Child child([](Child& self) {
      self.hear();
      test::burn_cpu(20'000'000);
      self.tell();
      return self.hear();
    });
    CHECK(leaf.put("cgroup.procs", std::to_string(child.pid())));
    child.tell();
    child.hear();
    std::vector<int> pids;
    CHECK(reader.list_members(*buffer, pids));
    CHECK((pids == std::vector<int>{child.pid()}));
    CHECK(reader.populated(*buffer) == Populated::kYes);
    child.kill();
    child.reap();
  }
  CHECK((reader.read(part::kCpu, 0, *buffer, out) & part::kCpu) != 0);
  CHECK(out.get(word::kCpuNs) >= 19'000'000);
  CHECK(out.get(word::kCpuNs) >= out.get(word::kCpuUserNs) + out.get(word::kCpuSystemNs));
  CHECK(!reader.removed());

  leaf.remove();
  CHECK(!leaf);
  CHECK_EQUAL(reader.read(part::kAll, 0, *buffer, out), 0);
  CHECK(reader.removed());
  CHECK(reader.failure(0).code == ReadCode::kCgroupNotFound);
  CHECK(mkdir(leaf.path().c_str(), 0755) == 0);
  // Made again under the same name it is another cgroup.
  CHECK_EQUAL(reader.read(part::kAll, 0, *buffer, out), 0);
  CHECK(rmdir(leaf.path().c_str()) == 0);
}

TEST(real_cgroup_that_does_not_list_its_process_yet_hides_nothing) {
  Leaf leaf;
  if (!leaf) return;
  const auto buffer = std::make_unique<ReadBuffer>();
  const int kept = DescriptorBudget::kept();
  CgroupReader cgroup;
  ProcReader process;
  Reading out;
  CHECK(!cgroup.open(leaf.mount().c_str(), leaf.name().c_str(), true));
  CHECK_EQUAL(DescriptorBudget::kept(), kept + 1);
  {
    Child child([](Child& self) {
      const pid_t grandchild = test::fork_waiting();
      test::burn_cpu(20'000'000);
      self.tell(grandchild);
      return self.hear();
    });
    const int grandchild = child.hear();
    CHECK(!process.open({child.pid(), "/proc", true, 0}, *buffer));
    process.set_members(&cgroup);
    CHECK_EQUAL(process.read(part::kAll, *buffer, out), part::kAll);
    CHECK_EQUAL(process.live_members(), 2);
    const uint64_t before = out.get(word::kCpuNs);
    CHECK(before >= 20'000'000);

    for (const int pid : {child.pid(), grandchild}) {
      CHECK(leaf.put("cgroup.procs", std::to_string(pid)));
      CHECK_EQUAL(process.read(part::kAll, *buffer, out), part::kAll);
      // The grandchild that is not moved yet has left, once the list tells.
      CHECK_EQUAL(process.live_members(), pid == grandchild ? 2 : 1);
      CHECK(out.get(word::kCpuNs) >= before);
    }
    child.kill();
    child.reap();
  }
  process.close();
  cgroup.close();
  CHECK_EQUAL(DescriptorBudget::kept(), kept);
  while (!leaf.is_empty()) {
  }
}

// Turning pressure off and on kills the kept descriptors with ENODEV while the directory lives, as
// turning a controller off and on does.
TEST(real_cgroup_file_that_died_is_opened_once_more) {
  Leaf leaf;
  if (!leaf) return;
  const auto buffer = std::make_unique<ReadBuffer>();
  CgroupReader reader;
  Reading out;
  CHECK(!reader.open(leaf.mount().c_str(), leaf.name().c_str(), true));
  CHECK((reader.read(part::kExtra, 0, *buffer, out) & part::kExtra) != 0);
  if (!out.has(word::kPressureCpuSomeNs) || !leaf.put("cgroup.pressure", "0")) {
    test::skip("no pressure here that can be turned off");
    return;
  }
  CHECK(leaf.put("cgroup.pressure", "1"));
  CHECK((reader.read(part::kExtra, 0, *buffer, out) & part::kExtra) != 0);
  CHECK(out.has(word::kPressureCpuSomeNs) && out.has(word::kPressureIoFullNs));

  CHECK(leaf.put("cgroup.pressure", "0"));
  CHECK((reader.read(part::kExtra, 0, *buffer, out) & part::kExtra) != 0);
  CHECK(!out.has(word::kPressureCpuSomeNs));
  CHECK(!reader.removed());
}

}  // namespace
}  // namespace episcope
