// Bytes to layout. Whatever the text: what can be read can be laid out, the result means the same, has all
// comments, and laid out again it stays as it is.
#include "base/diagnostic.hpp"
#include "base/result.hpp"
#include "compiler/format/format.hpp"
#include "compiler/parse/parse.hpp"
#include "tests/fuzz/bytes.hpp"

namespace flow::fuzz {

std::vector<std::string> seeds() {
  return {
      "// a\non alert.new when severity == High // b\n and x do isolate(machineId); mail(\"a\", // c\n "
      "\"{b}\")\n\n"
      "/// d\nflow f on a.b when not (x ?? 1 + 2 * -3 in [1, {a: 2}]) do { /* e */ let y: List<Int?> = "
      "raw\"a\" if x "
      "{ stop; } else { fail \"\"\"b\n\"\"\" } // f\n} on error e { log e }",
      "connector c { base \"https://c\" ordered enum E { A, B, } record R { a: E? from \"b\" = 1 } act f(a: "
      "R = null) "
      "-> R { by d { GET \"/{a}\" on crash ask } query { \"$a\": a } } trigger a.b { key id entity a: B by "
      "c(d) } }",
      "use \"a\" as b param p: Int = 1 native fn f<T>(l: List<T>, m: (T, T) => T) -> T test \"t\" { given a "
      "{ b: 1 } "
      "given f(1) fails E \"x\" 2 times run; after 1h expect f then g expect no actions expect failed }",
      "on hunt(kql\"x\") every 1h when a once per k within 1h limit i to 1 per 1h else skip dry run do { "
      "match x { "
      "1..5, -1 => stop; is T as y => { } _ => a = await f() within 1h else 2 } steps { a: f() retry 2 after "
      "b "
      "failed } on undo { } try { } catch e: A or B { } finally { } repeat every 1s { } until x wait until; "
      "f() "
      "return; f() let a = x.map((a, b) => a[b]\n.c).d as Int }"};
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flow;
  const auto read = [](std::string text, Diagnostics& diagnostics) {
    return parse(std::make_shared<const SourceFile>("source.flow", std::move(text)), 0, diagnostics);
  };
  Diagnostics diagnostics;
  const Tree tree = read(std::string(reinterpret_cast<const char*>(data), size), diagnostics);
  if (diagnostics.has_errors()) return 0;
  const Result<std::string> once = format(tree);
  FLOW_CHECK(once.has_value(), "what can be read can be laid out");
  const Tree again = read(*once, diagnostics);
  FLOW_CHECK(!diagnostics.has_errors(), "what is laid out can be read");
  FLOW_CHECK(outline(again) == outline(tree), "the layout changes no word");
  const Result<std::string> twice = format(again);
  FLOW_CHECK(twice.has_value() && *twice == *once, "what is laid out stays as it is");
  return 0;
}
