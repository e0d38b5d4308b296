// House rules as tests. Each failure says the place, the rule, and what to do instead; ARCHITECTURE.md has
// the reasons.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flow::test {
namespace {

namespace fs = std::filesystem;

struct File {
  std::string path;  // from the root, `compiler/check/names.cpp`
  std::string text;
  std::vector<std::string> lines;

  std::string_view extension() const { return std::string_view(path).substr(path.rfind('.') + 1); }
  bool is_cpp() const { return extension() == "cpp" || extension() == "hpp"; }
  bool is_under(std::string_view folder) const { return path.starts_with(std::string(folder) + "/"); }
};

bool is_one_of(std::string_view word, const std::vector<std::string_view>& words) {
  return std::ranges::find(words, word) != words.end();
}

std::vector<File> read_files() {
  std::vector<File> files;
  const fs::path root = FLOW_SOURCE_DIR;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator();
       ++entry) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory() && (name == "build" || name.starts_with('.')))
      entry.disable_recursion_pending();
    if (!entry->is_regular_file() ||
        !is_one_of(entry->path().extension().string(), {".cpp", ".hpp", ".def", ".flow", ".md", ".ebnf"}))
      continue;
    File file;
    file.path = entry->path().lexically_relative(root).generic_string();
    std::ifstream in(entry->path(), std::ios::binary);
    file.text.assign(std::istreambuf_iterator<char>(in), {});
    std::string line;
    for (const char c : file.text) {
      if (c == '\n')
        file.lines.push_back(std::exchange(line, {}));
      else
        line += c;
    }
    if (!line.empty()) file.lines.push_back(line);
    files.push_back(std::move(file));
  }
  std::ranges::sort(files, {}, &File::path);
  return files;
}

const std::vector<File>& files() {
  static const std::vector<File> all = read_files();
  return all;
}

template <class Fn>
void each_line(const File& file, Fn fn) {
  for (std::size_t i = 0; i < file.lines.size(); ++i)
    fn(file.lines[i], file.path + ":" + std::to_string(i + 1) + ": ");
}

// ---- Arrows

// What each folder may include of ours. The longest prefix counts; apps and tests see everything.
const std::map<std::string, std::vector<std::string>> kMayInclude = {
    {"base", {"base"}},
    {"grammar", {"base", "grammar"}},
    {"compiler", {"base", "compiler", "vm/bytecode"}},  // compile.hpp, the door
    {"compiler/syntax", {"base", "compiler/syntax"}},
    {"compiler/parse", {"base", "grammar", "compiler/syntax", "compiler/parse"}},
    {"compiler/format", {"base", "compiler/syntax", "compiler/parse", "compiler/format"}},
    {"compiler/resolve", {"base", "compiler/syntax", "compiler/resolve"}},
    {"compiler/check", {"base", "compiler/syntax", "compiler/resolve", "compiler/check", "vm/bytecode"}},
    {"compiler/plan", {"base", "compiler/syntax", "compiler/resolve", "compiler/check", "compiler/plan"}},
    {"compiler/analyse",
     {"base", "compiler/syntax", "compiler/resolve", "compiler/check", "compiler/plan", "compiler/analyse",
      "vm/bytecode"}},
    {"compiler/emit",
     {"base", "compiler/syntax", "compiler/resolve", "compiler/check", "compiler/plan", "compiler/emit",
      "vm/bytecode"}},
    {"vm/bytecode", {"base", "vm/bytecode"}},
    {"vm/interp", {"base", "vm/bytecode", "vm/interp"}},
    {"stdlib", {"base", "vm/bytecode", "vm/interp", "stdlib"}},
    {"runtime", {"base", "vm/bytecode", "vm/interp", "runtime"}},
    {"testing", {"base", "vm/bytecode", "vm/interp", "testing"}},
    {"import",
     {"base", "grammar", "compiler/syntax", "compiler/parse", "compiler/format", "compiler/resolve",
      "import"}},
};

const std::vector<std::string_view> kFolders = {"base",    "grammar", "compiler", "vm",   "stdlib",
                                                "runtime", "testing", "import",   "apps", "tests"};

const std::vector<std::string>* may_include(const File& file) {
  const std::vector<std::string>* found = nullptr;
  std::size_t longest = 0;
  for (const auto& [folder, allowed] : kMayInclude)
    if (file.is_under(folder) && folder.size() > longest) found = &allowed, longest = folder.size();
  return found;
}

TEST(Tidy, IncludesFollowTheArrows) {
  // An interface that the other half implements; nothing else crosses.
  const std::vector<std::string_view> seams = {"runtime/executor.hpp"};
  static const std::regex include(R"(^\s*#\s*include\s+"([^"]+)\")");
  for (const File& file : files()) {
    const std::vector<std::string>* allowed = file.is_cpp() ? may_include(file) : nullptr;
    if (allowed == nullptr) continue;
    each_line(file, [&](const std::string& line, const std::string& place) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) return;
      const std::string included = match[1];
      const bool fits = std::ranges::any_of(
          *allowed, [&](const std::string& folder) { return included.starts_with(folder + "/"); });
      const bool is_seam = file.is_under("stdlib/executor") && is_one_of(included, seams);
      EXPECT_TRUE(fits || is_seam) << place << '`' << included
                                   << "` is against the arrows: data goes between the halves, code does not";
    });
  }
}

TEST(Tidy, EveryFolderHasItsPlace) {
  for (const auto& entry : fs::directory_iterator(FLOW_SOURCE_DIR)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || name.starts_with('.') ||
        is_one_of(name, {"build", "docs", "examples", "scripts"}))
      continue;
    EXPECT_TRUE(is_one_of(name, kFolders))
        << name << "/: a new folder needs its reason in ARCHITECTURE.md and a row here";
  }
}

TEST(Tidy, OursIsIncludedFromTheRootWithQuotes) {
  static const std::regex any(R"(^\s*#\s*include\s+(["<])([^">]+)[">])");
  // Made by the build.
  const std::vector<std::string_view> made = {"version.hpp"};
  for (const File& file : files()) {
    if (!file.is_cpp()) continue;
    each_line(file, [&](const std::string& line, const std::string& place) {
      std::smatch match;
      if (!std::regex_search(line, match, any)) return;
      const std::string included = match[2];
      const bool is_ours = fs::exists(fs::path(FLOW_SOURCE_DIR) / included);
      EXPECT_TRUE(!is_ours || match[1] == "\"")
          << place << "write what is ours in quotes: \"" << included << '"';
      const bool is_beside = file.is_under("tests") &&
                             fs::exists((fs::path(FLOW_SOURCE_DIR) / file.path).parent_path() / included);
      EXPECT_TRUE(match[1] == "<" || is_ours || is_beside || is_one_of(included, made))
          << place << '`' << included << "` is no path from the root";
    });
  }
}

// ---- Headers

TEST(Tidy, HeadersOpenWithWhatTheyPromise) {
  for (const File& file : files()) {
    if (file.extension() != "hpp") continue;
    EXPECT_TRUE(file.text.starts_with("// "))
        << file.path << ": a header begins with a paragraph for someone who has just arrived";
    EXPECT_NE(file.text.find("\n#pragma once\n"), std::string::npos)
        << file.path << ": `#pragma once` is missing";
  }
}

// A heavy header costs seconds wherever it is included, and its library's names stay behind one door.
TEST(Tidy, HeavyHeadersStandInOneFile) {
  const std::map<std::string, std::vector<std::string_view>> doors = {
      {"cpprest/http_client.h", {"stdlib/http/cpprest_transport.cpp"}},
      {"boost/beast", {"apps/server/http_server.cpp", "tests/bench/http/beast_peer.cpp"}},
      {"boost/asio", {"apps/server/http_server.cpp"}},
      {"curl/curl.h", {"stdlib/http/curl_transport.cpp", "stdlib/mail/curl_smtp.cpp"}},
      {"CLI/CLI.hpp", {"apps/cli/main.cpp", "apps/cli/unknown_option.hpp", "apps/server/main.cpp"}},
      {"toml++/toml.h", {"apps/server/config_section.hpp"}},
      {"sqlite3.h", {"runtime/sqlite.hpp"}},
      {"simdjson.h",
       {"runtime/json_text.cpp", "stdlib/json/json.cpp", "vm/interp/event.cpp", "vm/interp/json_read.cpp",
        "vm/interp/settings.cpp", "vm/interp/arguments.cpp", "apps/sim/json.cpp", "import/read_json.cpp"}},
      {"tao/pegtl.hpp", {"grammar/rules/expressions.hpp"}},
      {"yaml.h", {"import/read_yaml.cpp"}},
      {"xxhash.h", {"vm/interp/maps.cpp", "vm/interp/snapshot.cpp"}},
      {"re2/re2.h",
       {"compiler/check/literals.cpp", "vm/interp/natives/pattern.cpp", "apps/sim/kql/patterns.cpp"}},
  };
  for (const File& file : files()) {
    if (!file.is_cpp() || file.is_under("tests")) continue;
    each_line(file, [&](const std::string& line, const std::string& place) {
      if (line.find("#include <") == std::string::npos) return;
      for (const auto& [header, allowed] : doors)
        EXPECT_TRUE(line.find("<" + header) == std::string::npos || is_one_of(file.path, allowed))
            << place << '`' << header << "` belongs to " << allowed[0] << "; use what that file offers";
    });
  }
}

// ---- Calls that take away what replay and tests rest on

struct Ban {
  const char* pattern;
  std::vector<std::string_view> in;       // folders
  std::vector<std::string_view> allowed;  // folders and files
  const char* instead;
};

std::string without_comment_and_texts(const std::string& line) {
  static const std::regex texts(R"("(\\.|[^"\\])*")");
  const std::string bare = std::regex_replace(line, texts, "\"\"");
  return bare.substr(0, bare.find("//"));
}

TEST(Tidy, BannedCallsAreNotMade) {
  const std::vector<std::string_view> product = {"base",   "grammar", "compiler", "vm",
                                                 "stdlib", "runtime", "apps"};
  const std::vector<std::string_view> pure = {"base", "grammar", "compiler", "vm"};
  const std::vector<Ban> bans = {
      {R"(\b(s?rand|drand48)\s*\()", product, {}, "take a seed, so that a run can be repeated"},
      {R"(\brandom_device\b)",
       {"base", "grammar", "compiler", "vm", "stdlib", "runtime"},
       {},
       "let apps/ draw the seed and hand it in"},
      {R"((^|[^\w.>:])(std::)?time\s*\(|\bgettimeofday\b|\blocaltime\w*\s*\()",
       product,
       {},
       "take a Clock (base/clock.hpp)"},
      {R"(\bsystem_clock\b)",
       {"base", "grammar", "compiler", "vm", "stdlib", "runtime"},
       {},
       "take a Clock (base/clock.hpp)"},
      {R"(\bgetenv\b)",
       {"base", "grammar", "compiler", "vm", "runtime", "stdlib"},
       {"stdlib/http/proxy.cpp"},
       "let apps/ read the environment and hand it in"},
      {R"(\bstd::j?thread\b|\bstd::async\b|\bpthread_create\b)",
       pure,
       {},
       "the compiler and the machine have no threads; the runtime has"},
      {R"(\bsleep(_for|_until)?\s*\(|\b[un]a?n?o?sleep\s*\()",
       {"base", "grammar", "compiler", "vm", "runtime"},
       {},
       "wait by a Clock, which tests can move"},
      {R"((^|[^\w.>])(std::)?system\s*\(|\bpopen\s*\()", product, {}, "Flow starts no programs"},
      {R"(\bstd::regex\b)", product, {}, "use RE2: its time is linear in the text"},
      {R"(\bstd::(cout|cerr)\b)",
       {"base", "grammar", "compiler", "vm", "stdlib", "runtime"},
       {},
       "return what is to be shown; apps/ print it"},
      {R"(\bsource_location\b|\bstd::(ranges::views|views)\b|\branges::(stable_partition|partition|unique|remove|remove_if|rotate|equal_range|subrange)\b)",
       product,
       {},
       "clang 14 cannot compile it; write the loop"},
  };
  for (const Ban& ban : bans) {
    const std::regex pattern(ban.pattern);
    for (const File& file : files()) {
      const auto lies_in = [&](std::string_view folder) {
        return file.is_under(folder) || file.path == folder;
      };
      if (!file.is_cpp() || std::ranges::none_of(ban.in, lies_in) ||
          std::ranges::any_of(ban.allowed, lies_in))
        continue;
      each_line(file, [&](const std::string& line, const std::string& place) {
        const std::string code = without_comment_and_texts(line);
        std::smatch match;
        EXPECT_FALSE(std::regex_search(code, match, pattern))
            << place << '`' << match.str() << "` is banned here: " << ban.instead;
      });
    }
  }
}

// ---- Layout and pages

TEST(Tidy, LinesEndCleanly) {
  for (const File& file : files()) {
    if (file.is_under("tests/golden") || file.is_under("tests/fuzz/corpus"))
      continue;  // hold such things on purpose
    EXPECT_TRUE(file.text.empty() || file.text.ends_with('\n')) << file.path << ": the last line has no end";
    each_line(file, [&](const std::string& line, const std::string& place) {
      EXPECT_EQ(line.find('\t'), std::string::npos) << place << "a tab; write blanks";
      EXPECT_FALSE(line.ends_with(' ') || line.ends_with('\r'))
          << place << "white space at the end of the line";
    });
  }
}

TEST(Tidy, PagesHaveOneTitle) {
  for (const File& file : files()) {
    if (file.extension() != "md" || !(file.is_under("docs") || file.path == "README.md")) continue;
    std::size_t titles = 0;
    bool in_code = false;
    for (const std::string& line : file.lines) {
      if (line.starts_with("```")) in_code = !in_code;
      titles += !in_code && line.starts_with("# ");
    }
    EXPECT_EQ(titles, 1u) << file.path << ": a page has one `# ` title, in its first line";
    EXPECT_TRUE(file.text.starts_with("# ")) << file.path << ": a page begins with its title";
  }
}

}  // namespace
}  // namespace flow::test
