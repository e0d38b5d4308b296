#include "vm/interp/stack.hpp"

#include <algorithm>

namespace flow {

Stack::Stack(std::size_t registers, std::size_t limit)
    : limit_(limit), slots_(std::make_unique<Slot[]>(registers)) {
  base = begin();
  end = base + registers;
}

bool Stack::grow(std::size_t offset, std::size_t registers) {
  const auto used = static_cast<std::size_t>(base - begin());
  const std::size_t wanted = used + offset + registers;
  const std::size_t callers_wanted = depth() + 1;
  if (wanted > limit_ / sizeof(Slot) || callers_wanted > limit_ / sizeof(Slot)) return false;

  if (wanted > static_cast<std::size_t>(end - begin())) {
    const std::size_t size =
        std::min(std::max(wanted, 2 * static_cast<std::size_t>(end - begin())), limit_ / sizeof(Slot));
    auto grown = std::make_unique<Slot[]>(size);
    std::copy(begin(), end, grown.get());
    slots_ = std::move(grown);
    base = begin() + used;
    end = begin() + size;
  }
  if (callers == callers_end) {
    const std::size_t size = std::min(std::max<std::size_t>(16, 2 * callers_wanted), limit_ / sizeof(Slot));
    auto grown = std::make_unique<const Instruction*[]>(size);
    std::copy(callers_begin, callers, grown.get());
    callers = grown.get() + (callers_wanted - 1);
    callers_memory_ = std::move(grown);
    callers_begin = callers_memory_.get();
    callers_end = callers_begin + size;
  }
  return true;
}

void Stack::clear() {
  std::fill(begin(), end, Slot::null());
  base = begin();
  callers = callers_begin;
}

}  // namespace flow
