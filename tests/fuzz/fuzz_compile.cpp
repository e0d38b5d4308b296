// Bytes to module, with the connectors that come with Flow. Without errors there is a module, and it
// verifies; with errors there is none. The same text is also read as declarations.
#include "base/result.hpp"
#include "compiler/compile.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "tests/fuzz/bytes.hpp"
#include "vm/bytecode/disassemble.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow::fuzz {
namespace {

const Library& library() {
  static const Declarations loaded = [] {
    std::vector<NamedText> texts;
    for (const Declaration& declaration : declarations())
      texts.push_back({std::string(declaration.name), std::string(declaration.text)});
    return load_declarations(texts);
  }();
  return loaded.library;
}

void show(const Diagnostics& diagnostics, const Files& files) {
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    render_text(diagnostic, files, false);
    render_json(diagnostic, files);
  }
}

}  // namespace

std::vector<std::string> seeds() {
  return {
      "on alert.new when severity == High do isolate(machineId); mail(\"soc@contoso.com\", \"Isolated "
      "{machine.name}\", \"{title}\")",
      "flow a on alert.new when machine.tags.any(t => t.lower() == \"vip\") and category in [Malware] do { "
      "let n = machine.name ?? \"x\" if n != \"y\" { log n } else { stop } } on error e { log e.message }",
      "on alert.new do { let a = 1 + 2 * 3 let b = -a / 2.5 if b > a { fail \"{a} {b}\" } log "
      "html\"<b>{title}</b>\" == html\"\" }"};
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flow;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Compilation compilation = compile({"source.flow", text}, fuzz::library());
  fuzz::show(compilation.diagnostics, compilation.files);
  FLOW_CHECK(compilation.module.has_value() == !compilation.diagnostics.has_errors(), "a module or an error");
  if (compilation.module) {
    const Status safe = verify(*compilation.module);
    FLOW_CHECK(safe, "what compiles verifies");
    disassemble(*compilation.module);
    const auto back = decode(encode(*compilation.module));
    FLOW_CHECK(back && encode(*back) == encode(*compilation.module),
               "a compiled module comes back as it went");
    for (std::size_t i = 0; i < compilation.plans.size(); ++i)
      print_plan(compilation.tree, fuzz::library(), compilation.checked, compilation.checked.flows[i],
                 compilation.plans[i]);
  }
  const Declarations declared = load_declarations({{"source.flow", text}});
  fuzz::show(declared.diagnostics, declared.files);
  return 0;
}
