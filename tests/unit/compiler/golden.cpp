#include "tests/unit/compiler/golden.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "compiler/format/format.hpp"
#include "compiler/parse/parse.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "tests/unit/several_files.hpp"
#include "vm/bytecode/compare.hpp"
#include "vm/bytecode/disassemble.hpp"
#include "vm/bytecode/summary.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAreas[] = {"parse",   "check",  "types",   "plan",     "emit", "json",
                                       "declare", "format", "analyse", "manifest", "diff"};

Shown of(const Diagnostics& diagnostics, std::string text) {
  return {std::move(text), diagnostics.has_errors()};
}

Shown show_parse(const std::string& name, const std::string& text) {
  Diagnostics diagnostics;
  const auto source = std::make_shared<const SourceFile>(name, text);
  const Tree tree = parse(source, 0, diagnostics);
  return of(diagnostics, rendered(diagnostics, {source}) + dump(tree));
}

Shown show_format(const std::string& name, const std::string& text) {
  Diagnostics diagnostics;
  const auto source = std::make_shared<const SourceFile>(name, text);
  const Tree tree = parse(source, 0, diagnostics);
  if (diagnostics.has_errors()) return of(diagnostics, rendered(diagnostics, {source}));
  const Result<std::string> laid_out = format(tree);
  return laid_out ? of(diagnostics, *laid_out) : Shown{laid_out.error().message + "\n", false};
}

// A file of connectors, as a new connector's author checks it.
Shown show_declare(const std::string& name, const std::string& text) {
  const Declarations declared = load_declarations({{name, text}});
  std::string out = rendered(declared.diagnostics, declared.files);
  for (const auto& [operation, index] : declared.library.operation_names)
    out += "operation " + operation + "\n";
  for (const auto& [type, id] : declared.library.type_names) out += "type " + type + "\n";
  for (const Trigger& trigger : declared.library.triggers) out += "trigger " + trigger.name + "\n";
  return of(declared.diagnostics, std::move(out));
}

std::string json(const Compilation& compilation, const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics.all())
    out += render_json(diagnostic, compilation.files) + "\n";
  return out;
}

std::string plans(const Compilation& compilation) {
  std::string out = print_settings(compilation.tree, compilation.checked);
  for (std::size_t i = 0; i < compilation.plans.size(); ++i)
    out += print_plan(compilation.tree, *compilation.library, compilation.checked,
                      compilation.checked.flows[i], compilation.plans[i]);
  return out;
}

// What the checker found out: the types of functions and of all names that have one of their own.
std::string types(const CheckedFile& checked) {
  std::string out;
  const auto locals = [&](const CheckedBody& body, std::size_t first) {
    for (std::size_t i = first; i < body.locals.size(); ++i)
      out += "  " + std::string(body.locals[i].is_var ? "var " : "") + body.locals[i].name + ": " +
             checked.types.name(body.locals[i].type) + "\n";
  };
  for (const CheckedFunction& function : checked.functions) {
    out += "fn " + function.name + "(";
    for (std::size_t i = 0; i < function.defaults.size(); ++i)
      out += (i == 0 ? "" : ", ") + function.locals[i].name + ": " +
             checked.types.name(function.locals[i].type) + (function.defaults[i] == kNoNode ? "" : " = …");
    out += ") -> " + checked.types.name(function.result) + "\n";
    locals(function, function.defaults.size());
  }
  for (const CheckedFlow& flow : checked.flows) {
    out += "flow " + flow.name + "\n";
    locals(flow, 0);
  }
  return out;
}

// The old file, a line `// new`, the new file.
Shown show_diff(const std::string& name, const std::string& text) {
  const std::size_t at = std::min(text.find("// new\n"), text.size());
  const Compilation before = compile({name, text.substr(0, at)}, standard_library());
  const Compilation after = compile({name, text.substr(at)}, standard_library());
  if (!before.module || !after.module)
    return {rendered(before.diagnostics, before.files) + rendered(after.diagnostics, after.files), true};
  const std::vector<Change> changes = compare(summarise(*before.module), summarise(*after.module));
  return {print_changes(changes) + changes_json(changes), false};
}

}  // namespace

const Library& standard_library() {
  static const Declarations loaded = [] {
    std::vector<NamedText> texts;
    for (const Declaration& declaration : declarations())
      texts.push_back({std::string(declaration.name), std::string(declaration.text)});
    return load_declarations(texts);
  }();
  return loaded.library;
}

std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases;
  for (const std::string_view area : kAreas) {
    const fs::path folder = fs::path(FLOW_SOURCE_DIR) / "tests/golden" / area;
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".flow")
        cases.push_back({std::string(area), entry.path().stem().string(), entry.path()});
  }
  std::ranges::sort(cases, {}, &GoldenCase::source);
  return cases;
}

Shown show(const std::string& area, const std::string& name, const std::string& text) {
  if (area == "parse") return show_parse(name, text);
  if (area == "diff") return show_diff(name, text);
  if (area == "format") return show_format(name, text);
  if (area == "declare") return show_declare(name, text);
  const Compilation compilation = compile_files(name, text, standard_library());
  const Diagnostics& found = compilation.diagnostics;
  const std::string diagnostics = rendered(found, compilation.files);
  if (compilation.module) {
    const Status safe = verify(*compilation.module);
    if (!safe) return {"the module does not verify: " + safe.error().message + "\n", false};
  }
  if (area == "json") return of(found, json(compilation, found));
  if (area == "plan") return of(found, diagnostics + plans(compilation));
  if (area == "manifest")
    return of(found, diagnostics + (compilation.module ? print_manifest(*compilation.module) +
                                                             manifest_json(*compilation.module)
                                                       : ""));
  if (area == "emit")
    return of(found, diagnostics + (compilation.module ? disassemble(*compilation.module) : ""));
  if (area == "types") return of(found, diagnostics + types(compilation.checked));
  return of(found, diagnostics.empty() ? "no mistakes found\n" : diagnostics);
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string rendered(const Diagnostics& diagnostics, const Files& files) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics.all()) out += render_text(diagnostic, files, false) + "\n";
  return out;
}

}  // namespace flow::test
