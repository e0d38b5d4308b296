// docs/ARCHITECTURE.md tells the life of one flow with what each stage prints. The excerpts are compared with
// what it prints today; FLOW_UPDATE=1 rewrites them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "compiler/compile.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "vm/bytecode/disassemble.hpp"
#include "vm/bytecode/summary.hpp"

namespace flow {
namespace {

const std::string kPage = std::string(FLOW_SOURCE_DIR) + "/docs/ARCHITECTURE.md";
const std::string kExample = "examples/isolate-high.flow";

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// What the page quotes, by the name after `<!-- run: ` or `<!-- file: `.
std::map<std::string, std::string> excerpts() {
  std::vector<NamedText> texts;
  for (const Declaration& declaration : declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  const Declarations library = load_declarations(texts);
  const std::string source = read(std::string(FLOW_SOURCE_DIR) + "/" + kExample);
  const Compilation compiled = compile({kExample, source}, library.library);
  if (!compiled.module) return {};
  const std::string listing = disassemble(*compiled.module);
  return {{"file: " + kExample, source},
          {"run: tree", dump(compiled.tree)},
          {"run: plan", print_plan(compiled.tree, library.library, compiled.checked,
                                   compiled.checked.flows[0], compiled.plans[0])},
          {"run: manifest", print_manifest(*compiled.module)},
          {"run: code", listing.substr(listing.find("\nflow ") + 1)}};
}

TEST(Architecture, LifeOfOneFlowIsWhatTheStagesPrint) {
  const std::string page = read(kPage);
  const auto wanted = excerpts();
  ASSERT_FALSE(wanted.empty()) << "the first example does not compile";
  std::string fresh;
  std::size_t at = 0;
  std::size_t quoted = 0;
  for (std::size_t mark; (mark = page.find("<!-- ", at)) != std::string::npos;) {
    const std::size_t end = page.find(" -->\n```\n", mark);
    ASSERT_NE(end, std::string::npos);
    const auto excerpt = wanted.find(page.substr(mark + 5, end - mark - 5));
    ASSERT_NE(excerpt, wanted.end()) << page.substr(mark, 60);
    const std::size_t body = end + 9;
    fresh += page.substr(at, body - at) + excerpt->second;
    at = page.find("```", body);
    ++quoted;
  }
  fresh += page.substr(at);
  EXPECT_EQ(quoted, wanted.size());
  if (std::getenv("FLOW_UPDATE") != nullptr)
    std::ofstream(kPage) << fresh;
  else
    EXPECT_EQ(fresh, page) << "run FLOW_UPDATE=1 build/release/test_architecture and review the difference";
}

}  // namespace
}  // namespace flow
