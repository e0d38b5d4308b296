// Bytes to a connector. Whatever the document: it is refused with a reason, or what comes of it compiles,
// lies in its layout, and says of each operation how it was translated.
#include "apps/library/standard_library.hpp"
#include "base/result.hpp"
#include "compiler/format/format.hpp"
#include "compiler/parse/parse.hpp"
#include "import/import.hpp"
#include "tests/fuzz/bytes.hpp"

namespace flow::fuzz {

std::vector<std::string> seeds() {
  return {
      R"({"swagger":"2.0","info":{"title":"A","version":"1"},"host":"a.example","paths":{"/x/{id}":{"get":{)"
      R"("operationId":"GetX","parameters":[{"name":"id","in":"path","type":"string","required":true},)"
      R"({"name":"top","in":"query","type":"integer","default":-5}],"responses":{"200":{"schema":{"$ref":"#/definitions/X"}}}}}},)"
      R"("definitions":{"X":{"type":"object","required":["next"],"properties":{"next":{"$ref":"#/definitions/X"},)"
      R"("state":{"type":"string","enum":["on","off"]},"tags":{"type":"array","items":{"type":"string"}}}}}})",
      "openapi: 3.0.0\ninfo: {title: B}\nservers:\n  - url: https://b.example/{v}\n    variables: {v: "
      "{default: v1}}\n"
      "paths:\n  /a:\n    post:\n      requestBody:\n        content:\n          application/json:\n         "
      "   schema: &s\n"
      "              allOf:\n                - {type: object, properties: {a: {type: number, default: "
      "1.5}}}\n"
      "                - {oneOf: [{type: string}, {type: 'null'}]}\n      responses:\n        200: {content: "
      "{application/json: {schema: *s}}}\n",
      R"({"swagger":"2.0","paths":{"/f":{"post":{"consumes":["multipart/form-data"],"parameters":[)"
      R"({"name":"file","in":"formData","type":"file"},{"name":"x y","in":"formData","type":"array","items":{}}],"responses":{}}}}})",
  };
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace flow;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const Result<importer::Import> import = importer::import_document(text, {}, standard_library());
  if (!import) {
    FLOW_CHECK(!import.error().message.empty(), "a refusal has a reason");
    FLOW_CHECK(!import.error().message.starts_with("internal"), "what is made compiles");
    return 0;
  }
  Diagnostics diagnostics;
  const Tree tree = parse(std::make_shared<const SourceFile>("", import->text), 0, diagnostics);
  extend_library(standard_library(), {&tree, 1}, diagnostics);
  FLOW_CHECK(!diagnostics.has_errors(), "what is made compiles");
  const Result<std::string> laid_out = format(tree);
  FLOW_CHECK(laid_out && *laid_out == import->text, "it lies in its layout");
  importer::report_text(*import);
  importer::report_json(*import);
  return 0;
}
