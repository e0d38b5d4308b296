// What golden files cannot show of an import: that flows can call what it declares, options, encodings, and
// that hostile and broken documents end in an answer.
#include "import/import.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "apps/library/standard_library.hpp"
#include "compiler/compile.hpp"
#include "compiler/parse/parse.hpp"
#include "import/read.hpp"

namespace flow::importer {
namespace {

namespace fs = std::filesystem;

Result<Import> imported(std::string_view document, ImportOptions options = {}) {
  return import_document(document, options, standard_library());
}

std::string one_operation(const std::string& operation, const std::string& more = "") {
  return R"({"swagger":"2.0","info":{"title":"Tickets"},"host":"tickets.example.com","paths":{"/tickets":{"post":)" +
         operation + "}}" + more + "}";
}

// A flow for each operation, which a person starts with its arguments.
std::string callers(const Import& import) {
  Diagnostics diagnostics;
  const Tree tree = parse(std::make_shared<const SourceFile>("", import.text), 0, diagnostics);
  const Library library = extend_library(standard_library(), {&tree, 1}, diagnostics);
  std::string flows = "use \"connector.flow\" as api\nsecret hidden\n";
  std::size_t number = 0;
  for (const Operation& operation : library.operations) {
    if (operation.connector != import.connector) continue;
    std::string parameters, arguments;
    for (const Parameter& parameter : operation.parameters) {
      const std::string name = "a" + std::to_string(number++);
      arguments += (arguments.empty() ? "" : ", ") + parameter.name + ": ";
      if (library.types.without_null(parameter.type) == kSecretType) {
        arguments += "hidden";
        continue;
      }
      arguments += name;
      parameters += (parameters.empty() ? "" : ", ") + name + ": " + library.types.name(parameter.type);
    }
    flows += "flow f" + std::to_string(number++) + " on manual (" + parameters + ") do api." +
             operation.name + "(" + arguments + ")\n";
  }
  return flows;
}

std::string mistakes_of_callers(const Import& import) {
  const ModuleLoader loader = [&](const ModuleRequest&) -> std::variant<FoundModule, MissingModule> {
    return FoundModule{.id = "connector", .source = {"connector.flow", import.text}};
  };
  const std::string flows = callers(import);
  const Compilation compiled = compile({"f.flow", flows}, standard_library(), loader);
  std::string found;
  for (const Diagnostic& diagnostic : compiled.diagnostics.all())
    if (row(diagnostic.code).severity == Severity::Error && found.size() < 4000)
      found += render_text(diagnostic, compiled.files, false) + "\n";
  return found;
}

std::vector<fs::path> documents_in(const fs::path& folder) {
  std::vector<fs::path> found;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".json" || entry.path().extension() == ".yaml")
        found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Other people's documents; not part of the project.
std::vector<fs::path> corpus() {
  const char* const given = std::getenv("FLOW_CONNECTOR_CORPUS");
  return documents_in(given != nullptr ? fs::path(given)
                                       : fs::path(FLOW_SOURCE_DIR) / "../shared/corpus/connectors");
}

TEST(Import, FlowsCanCallWhatGoldenDocumentsDeclare) {
  for (const fs::path& path : documents_in(fs::path(FLOW_SOURCE_DIR) / "tests/golden/connector"))
    if (const auto import = imported(read(path))) {
      EXPECT_EQ(mistakes_of_callers(*import), "") << path;
    }
}

TEST(Import, FlowsCanCallWhatTheCorpusDeclares) {
  const auto documents = corpus();
  if (documents.empty()) GTEST_SKIP() << "the corpus is not here";
  for (const fs::path& path : documents) {
    const auto import = imported(read(path));
    ASSERT_TRUE(import) << path << import.error().message;
    EXPECT_EQ(mistakes_of_callers(*import), "") << path;
  }
}

TEST(Import, TheNameIsChosenOrMadeOfTheTitle) {
  const std::string document = one_operation(R"({"operationId":"Open"})");
  EXPECT_EQ(imported(document)->connector, "tickets");
  EXPECT_EQ(imported(document, {.name = "helpdesk"})->connector, "helpdesk");
  EXPECT_EQ(imported(document, {.name = "on"}).error().message, "`on` cannot be the name of a connector");
  EXPECT_EQ(imported(document, {.name = "defender"}).error().message,
            "there is a connector `defender` already: choose another --name");
}

TEST(Import, TheEffectIsThatOfTheMethodUnlessSomebodySaysOtherwise) {
  const std::string document = one_operation(R"({"operationId":"Open"})");
  EXPECT_NE(imported(document)->text.find("act open("), std::string::npos);
  EXPECT_NE(imported(document, {.effects = {{"open", "notify"}}})->text.find("notify open("),
            std::string::npos);
  EXPECT_EQ(imported(document, {.effects = {{"opne", "read"}}}).error().message,
            "--effect: there is no operation `opne`; did you mean `open`?");
}

TEST(Import, AnyEncodingIsRead) {
  const std::string document = one_operation(R"({"operationId":"Open","summary":"Öffnet"})");
  const std::string plain = imported(document)->text;
  EXPECT_NE(plain.find("/// Öffnet."), std::string::npos);
  EXPECT_EQ(imported("\xef\xbb\xbf" + document)->text, plain);
  std::string wide = "\xff\xfe";
  for (std::size_t i = 0; i < document.size(); ++i) {
    if (document[i] == '\xc3') {
      wide += "\xd6";
      wide += '\0';
      ++i;
      continue;
    }
    wide += document[i];
    wide += '\0';
  }
  EXPECT_EQ(imported(wide)->text, plain);
  const auto broken = imported(one_operation("{\"operationId\":\"Open\",\"summary\":\"\xff\"}"));
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->findings.at(0).reason.substr(0, 14), "it is no UTF-8");
}

TEST(Import, JsonWithCommentsAndCommasTooManyIsRead) {
  EXPECT_TRUE(imported("// made by hand\n" + one_operation("{\"operationId\":\"Open\",/* not yet */}")));
  EXPECT_EQ(repaired_json("{\"a // b\": [1, 2, ], }"), "{\"a // b\": [1, 2  ]  }");
}

TEST(Import, WhatIsNoDescriptionOfAnApiIsRefused) {
  for (const std::string_view bytes :
       {"", "  \n", "null", "[]", "{}", "{\"a\":", "just words", "a: [", "\xff\xfe",
        "{\"swagger\":\"1.2\",\"paths\":{}}", "{\"openapi\":\"4.0\",\"paths\":{}}"}) {
    const auto import = imported(bytes);
    ASSERT_FALSE(import) << bytes;
    EXPECT_FALSE(import.error().message.empty());
  }
}

TEST(Import, AliasesThatWouldUnfoldToGigabytesStaySmall) {
  std::string yaml =
      "openapi: 3.0.0\npaths: {/a: {get: {responses: {200: {content: {application/json: {schema: *z}}}}}}}\n";
  std::string bombs = "x0: &a0 {type: object, properties: {v: {type: string}}}\n";
  for (int i = 1; i < 25; ++i) {
    bombs += "x" + std::to_string(i) + ": &a" + std::to_string(i) + " {type: object, properties: {";
    for (int j = 0; j < 9; ++j)
      bombs += (j > 0 ? ", p" : "p") + std::to_string(j) + ": *a" + std::to_string(i - 1);
    bombs += "}}\n";
  }
  const std::size_t at = yaml.find("*z");
  yaml.replace(at, 2, "*a24");
  const auto import = imported(bombs + yaml);
  ASSERT_TRUE(import) << import.error().message;
  EXPECT_EQ(import->records, 25u);
}

TEST(Import, DepthHasItsLimit) {
  EXPECT_FALSE(imported("{\"paths\":" + std::string(100'000, '[')));
  EXPECT_FALSE(imported("paths: " + std::string(100'000, '[')));
  EXPECT_FALSE(imported("paths: " + std::string(100'000, '{')));
  std::string schema = "{}";
  for (int i = 0; i < 60; ++i) schema = R"({"type":"array","items":)" + schema + "}";
  const auto import = imported(one_operation(R"({"responses":{"200":{"schema":)" + schema + "}}}"));
  ASSERT_TRUE(import) << import.error().message;
}

TEST(Import, ReferencesMayGoInCircles) {
  const auto import = imported(
      one_operation(R"({"responses":{"200":{"schema":{"$ref":"#/definitions/A"}}}})",
                    R"(,"definitions":{"A":{"$ref":"#/definitions/B"},"B":{"$ref":"#/definitions/A"}})"));
  ASSERT_TRUE(import);
  EXPECT_EQ(import->count(Translated::Partly), 1u);
  const auto lists =
      imported(one_operation(R"({"responses":{"200":{"schema":{"$ref":"#/definitions/A"}}}})",
                             R"(,"definitions":{"A":{"type":"array","items":{"$ref":"#/definitions/A"}}})"));
  ASSERT_TRUE(lists);
  const auto parts = imported(one_operation(
      R"({"responses":{"200":{"schema":{"$ref":"#/definitions/A"}}}})",
      R"(,"definitions":{"A":{"allOf":[{"$ref":"#/definitions/A"},{"$ref":"#/definitions/A"}],"properties":{"a":{}}}})"));
  ASSERT_TRUE(parts);
}

}  // namespace
}  // namespace flow::importer
