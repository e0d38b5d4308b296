// The functions of natives.def. Pure: the same arguments give the same result or the same fault.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.hpp"
#include "vm/interp/heap.hpp"

namespace re2 {
class RE2;
}

namespace flow {

// The last few patterns a run matched with. RE2 matches in time linear in the text; its memory is bounded
// here.
class Patterns {
 public:
  Patterns();
  ~Patterns();
  // nullptr when the pattern is malformed or too large, with the reason in `problem`.
  const re2::RE2* compiled(std::string_view pattern, std::string& problem);

 private:
  static constexpr std::size_t kKept = 8;
  static constexpr std::size_t kMaxPatternBytes = 4096;
  static constexpr int kMaxBytesEach = 256 << 10;

  struct Entry {
    std::string pattern;
    std::unique_ptr<re2::RE2> compiled;
  };
  std::vector<Entry> entries_;
  std::size_t oldest_ = 0;
};

// What a native may use beside its arguments.
struct NativeContext {
  Heap& heap;
  Patterns& patterns;
  std::size_t max_text_bytes;  // of a result
  std::size_t max_list_items;  // of a result
  std::uint64_t& fuel;         // what is left to the run
  std::optional<Fault> fault;  // set when there is no result
};

// `arguments` are as the native's row says. Leaves `result` alone when it sets the fault. The caller has
// taken the fuel for the bytes of the arguments; of what is looked at more than once the native takes its
// own.
void call_native(NativeId id, NativeContext& context, const Slot* arguments, Slot& result);

// The rows whose function has other types than they say; for tests, which find none.
std::vector<std::string_view> natives_that_do_not_fit();

}  // namespace flow
