// Bytes to tree. Whatever the text: there is a tree, its nodes lie within the text and within their parents,
// and every diagnostic can be shown.
#include "base/diagnostic.hpp"
#include "base/result.hpp"
#include "compiler/parse/parse.hpp"
#include "tests/fuzz/bytes.hpp"

namespace flow::fuzz {
namespace {

void check_nodes(const Tree& tree) {
  const std::size_t size = tree.source->text().size();
  for (NodeId id = 0; id < tree.nodes.size(); ++id) {
    const Span span = tree.span(id);
    FLOW_CHECK(span.begin <= span.end && span.end <= size, "a node lies within the text");
    for (const NodeId kid : tree.kids(id)) {
      FLOW_CHECK(kid < id, "children come before parents");
      FLOW_CHECK(tree.span(kid).begin >= span.begin && tree.span(kid).end <= span.end,
                 "a node lies within its parent");
    }
  }
}

}  // namespace

std::vector<std::string> seeds() {
  return {
      "on alert.new when severity == High do isolate(machineId); mail(\"soc@contoso.com\", \"Isolated "
      "{machine.name}\", \"{title}\")",
      "flow f on a.b when not (x ?? 1 + 2 * -3 in [1, {a: 2}]) do { let y: List<Int?> = raw\"a\" if x { stop "
      "} else { fail \"\"\"b\"\"\" } } on error e { log e }",
      "connector c { base \"https://c\" ordered enum E { A, B } record R { a: E? from \"b\" } act f(a: R = "
      "null) -> R { by d { GET \"/{a}\" on crash ask } } }",
      "use \"a\" as b secret s param p: Int = 1 record R { a: Int = 0 } ordered enum E { A } native fn "
      "f<T>(l: "
      "List<T>, m: (T, T) => T) -> T test \"t\" { given a { b: 1 } given f(1) fails E \"x\" 2 times run "
      "after 1h "
      "expect f then g expect no actions expect result 1 expect failed }",
      "on hunt(kql\"x\") every 1h batch when a once per k within 1h limit i to 1 per 1h else skip at most 3 "
      "at "
      "once in tenants [\"x\"] dry run do { match x { 1..5, -1 => stop is T as y => { } _ => a = await f() "
      "within 1h else 2 } steps { a: attempt f() retry 2 backoff 1s..2s after b failed or timed out } on "
      "undo { } "
      "try { } catch e: A or B { } finally { } repeat every 1s { } until x else { } parallel any { } respond "
      "202, "
      "match x { A => 1, B => 2 } as T for a, b in c on error collect limit 3 truncate { yield start g() } "
      "}"};
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flow;
  Diagnostics diagnostics;
  const auto source = std::make_shared<const SourceFile>(
      "source.flow", std::string(reinterpret_cast<const char*>(data), size));
  const Tree tree = parse(source, 0, diagnostics);
  FLOW_CHECK(tree.kind(tree.root) == NodeKind::File, "there is always a file");
  fuzz::check_nodes(tree);
  dump(tree);
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    FLOW_CHECK(diagnostic.span.begin <= diagnostic.span.end && diagnostic.span.end <= size,
               "a mark lies within the text");
    render_text(diagnostic, {source}, true);
    render_json(diagnostic, {source});
  }
  return 0;
}
