// The promises of the failure log: the table is the same that TypeScript runs.
#include "../core/failure_log.h"

#include <cerrno>
#include <map>
#include <sstream>
#include <string>

#include "check.h"
#include "table.h"

namespace episcope {
namespace {

const std::map<std::string, ReadCode> kCodes = {{"CGROUP_READ", ReadCode::kCgroupRead},
                                                {"CGROUP_PARSE", ReadCode::kCgroupParse},
                                                {"PROC_READ", ReadCode::kProcRead}};
const std::map<std::string, int> kErrnos = {
    {"none", 0}, {"EACCES", EACCES}, {"EPERM", EPERM}, {"EIO", EIO}};
const std::map<std::string, ParseReason> kReasons = {{"", ParseReason::kNone},
                                                     {"too_large", ParseReason::kTooLarge},
                                                     {"empty", ParseReason::kEmpty},
                                                     {"hidden", ParseReason::kHidden}};

class Replay {
 public:
  std::string play(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "sample") {
      log_.begin();
    } else if (verb == "add") {
      uint32_t part = 0;
      std::string code;
      std::string error;
      std::string file;
      std::string reason;
      words >> part >> code >> error >> file >> reason;
      add(part, code, error, file, reason);
    } else if (verb == "add_each") {
      int from = 0;
      int to = 0;
      words >> from >> to;
      for (int i = from; i <= to; i++) add(3, "CGROUP_READ", "EIO", "f" + std::to_string(i), "");
    } else if (verb == "pending") {
      return test::difference(line, std::string("pending ") + test::yes_or_no(log_.pending()));
    } else if (verb == "told") {
      return test::difference(line, "told" + told());
    } else {
      return "unknown line: " + line;
    }
    return "";
  }

 private:
  void add(uint32_t part, const std::string& code, const std::string& error,
           const std::string& file, const std::string& reason) {
    ReadFailure failure;
    failure.code = kCodes.at(code);
    failure.error_number = kErrnos.at(error);
    failure.reason = kReasons.at(reason);
    failure.set_file(file.c_str());
    log_.add(part, failure);
  }

  std::string told() {
    SampleWarning warnings[kMaxWarnings];
    const uint32_t count = log_.take(warnings);
    std::string text;
    for (uint32_t i = 0; i < count; i++) {
      const ReadFailure& failure = warnings[i].failure;
      std::string error = "?";
      for (const auto& [name, number] : kErrnos) {
        if (number == failure.error_number) error = name;
      }
      text += " " + std::to_string(warnings[i].part) + ":" + failure.file + ":" + error;
    }
    return text;
  }

  FailureLog log_;
};

TEST(failure_log_agrees_with_the_shared_table) { test::run_table<Replay>("failure-log.txt"); }

}  // namespace
}  // namespace episcope
