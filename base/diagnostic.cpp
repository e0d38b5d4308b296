#include "base/diagnostic.hpp"

#include <algorithm>

namespace flow {
namespace {

constexpr CodeRow kCodes[] = {
#define FLOW_DIAGNOSTIC(number, name, severity, title) \
  {Code::name, "F" #number, #name, Severity::severity, title},
#include "base/diagnostics.def"
#undef FLOW_DIAGNOSTIC
};

}  // namespace

const CodeRow& row(Code code) {
  return kCodes[static_cast<std::size_t>(code)];
}
std::vector<CodeRow> all_codes() {
  return {std::begin(kCodes), std::end(kCodes)};
}

Diagnostic& Diagnostics::report(Code code, std::uint32_t file, Span span, std::string message) {
  if (row(code).severity == Severity::Error) ++errors_;
  Diagnostic& diagnostic = all_.emplace_back();
  diagnostic.code = code;
  diagnostic.file = file;
  diagnostic.span = span;
  diagnostic.message = std::move(message);
  return diagnostic;
}

void Diagnostics::sort_by_place() {
  std::ranges::stable_sort(all_, [](const Diagnostic& a, const Diagnostic& b) {
    return a.file != b.file ? a.file < b.file : a.span.begin < b.span.begin;
  });
}

}  // namespace flow
