// A binary heap of wake times, the earliest first. Every item knows its place, so that changing its
// time needs neither a search nor an allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace episcope {

/// `Item` has the members wake_ns and place, which belong to the heap while it holds the item.
template <typename Item>
class WakeHeap {
 public:
  /// UINT64_MAX if the heap is empty.
  uint64_t earliest_ns() const { return items_.empty() ? UINT64_MAX : items_[0]->wake_ns; }

  void add(Item* item, uint64_t wake_ns) {
    item->wake_ns = wake_ns;
    item->place = items_.size();
    items_.push_back(item);
    rise(item->place);
  }

  void retime(Item* item, uint64_t wake_ns) {
    item->wake_ns = wake_ns;
    rise(item->place);
    sink(item->place);
  }

  void remove(Item* item) {
    const size_t place = item->place;
    swap(place, items_.size() - 1);
    items_.pop_back();
    if (place == items_.size()) return;
    rise(place);
    sink(place);
  }

  /// Calls `visit` with every item whose wake is not after `until_ns`, in no particular order.
  /// `visit` must not change the heap.
  template <typename Visit>
  void for_each_until(uint64_t until_ns, const Visit& visit) const {
    visit_below(0, until_ns, visit);
  }

 private:
  template <typename Visit>
  void visit_below(size_t place, uint64_t until_ns, const Visit& visit) const {
    if (place >= items_.size() || items_[place]->wake_ns > until_ns) return;
    visit(items_[place]);
    visit_below(2 * place + 1, until_ns, visit);
    visit_below(2 * place + 2, until_ns, visit);
  }

  void rise(size_t place) {
    while (place > 0) {
      const size_t above = (place - 1) / 2;
      if (items_[above]->wake_ns <= items_[place]->wake_ns) return;
      swap(place, above);
      place = above;
    }
  }

  void sink(size_t place) {
    for (;;) {
      size_t least = place;
      for (const size_t below : {2 * place + 1, 2 * place + 2}) {
        if (below < items_.size() && items_[below]->wake_ns < items_[least]->wake_ns) least = below;
      }
      if (least == place) return;
      swap(place, least);
      place = least;
    }
  }

  void swap(size_t one, size_t other) {
    std::swap(items_[one], items_[other]);
    items_[one]->place = one;
    items_[other]->place = other;
  }

  std::vector<Item*> items_;
};

}  // namespace episcope
