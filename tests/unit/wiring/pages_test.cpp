// docs/configuration.md and docs/cli.md say everything that the program takes, and their samples are
// accepted.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

#include "apps/server/config.hpp"

namespace flow {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream in(std::string(FLOW_SOURCE_DIR) + "/" + path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> toml_samples(const std::string& page) {
  std::vector<std::string> found;
  std::istringstream lines(page);
  bool is_inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "```toml") {
      found.emplace_back();
      is_inside = true;
    } else if (line.starts_with("```")) {
      is_inside = false;
    } else if (is_inside) {
      found.back() += line + "\n";
    }
  }
  return found;
}

TEST(ConfigurationPage, SamplesAreAccepted) {
  const std::vector<std::string> samples = toml_samples(read_text("docs/configuration.md"));
  EXPECT_FALSE(samples.empty());
  for (const std::string& sample : samples) {
    const auto config = parse_config("flow.toml", sample);
    EXPECT_TRUE(config) << config.error().message << "\n" << sample;
  }
}

TEST(Configuration, TenantsWithDotsInTheirNamesStayApart) {
  const std::string access = "tenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n";
  const auto config =
      parse_config("flow.toml", "[tenants.\"a.com\"]\n" + access + "[tenants.\"b.com\"]\n" + access);
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->tenants.size(), 2u);
  EXPECT_EQ(config->tenants[0].name, "a.com");
  EXPECT_EQ(config->tenants[1].name, "b.com");
}

TEST(Configuration, LibraryForHttp) {
  const std::string tenant = "[tenants.a]\ntenant_id = 't'\nclient_id = 'c'\nclient_secret_env = 'S'\n";
  EXPECT_EQ(parse_config("f", tenant)->http_library, HttpLibrary::Cpprest);
  EXPECT_EQ(parse_config("f", "[transport]\nlibrary = 'curl'\n" + tenant)->http_library, HttpLibrary::Curl);
  const auto wrong = parse_config("f", "[transport]\nlibrary = 'wget'\n" + tenant);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "f: line 2: `library` must be one of cpprest, curl");
}

TEST(Configuration, LimitsOfRuns) {
  const std::string tenant = "[tenants.a]\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n";
  const auto with = [&](const std::string& line) {
    return parse_config("flow.toml", "[limits]\n" + line + "\n" + tenant);
  };
  const auto config = with("fuel = 50_000_000\nlist_items = 5000");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->limits.fuel, 50'000'000u);
  EXPECT_EQ(config->limits.list_items, 5000u);
  EXPECT_EQ(config->limits.heap_bytes, Limits{}.heap_bytes);
  EXPECT_EQ(with("fuel = 0").error().message,
            "flow.toml: line 2: `fuel` must be a whole number from 1000 to 1099511627776");
  EXPECT_EQ(with("feul = 5000").error().message,
            "flow.toml: line 2: unknown key `feul` in `limits`; did you mean `fuel`?");
  EXPECT_EQ(config->reuse_reads_us, 5'000'000);
  EXPECT_EQ(with("reuse_reads = \"0s\"")->reuse_reads_us, 0);
  EXPECT_EQ(with("reuse_reads = \"1m30s\"")->reuse_reads_us, 90'000'000);
  EXPECT_EQ(with("reuse_reads = \"1h\"").error().message,
            "flow.toml: line 2: `reuse_reads` must be at most \"5m\"");
  EXPECT_EQ(with("reuse_reads = 5").error().message,
            "flow.toml: line 2: `reuse_reads` must be a duration in quotes, as \"30s\"");
}

TEST(Configuration, HowLongThingsAreKept) {
  const std::string tenant = "[tenants.a]\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n";
  const auto with = [&](const std::string& line) {
    return parse_config("flow.toml", "[store]\n" + line + "\n" + tenant);
  };
  constexpr std::int64_t kDayUs = 86'400 * std::int64_t{1'000'000};
  EXPECT_EQ(with("")->keep_us, 90 * kDayUs);
  EXPECT_EQ(with("")->keep_audit_us, 0);
  EXPECT_EQ(with("keep = \"forever\"\nkeep_audit = \"52w\"")->keep_us, 0);
  EXPECT_EQ(with("keep = \"forever\"\nkeep_audit = \"52w\"")->keep_audit_us, 364 * kDayUs);
  for (const char* wrong : {"\"1h\"", "90", "\"never\"", "\"\""})
    EXPECT_EQ(with(std::string("keep = ") + wrong).error().message,
              "flow.toml: line 2: `keep` must be a duration in quotes of a day or more, as \"90d\", or "
              "\"forever\"");
}

// The keys as the reader of the file asks for them.
std::set<std::string> known_keys() {
  const std::string source =
      read_text("apps/server/config.cpp") + read_text("apps/server/config_inbound.cpp");
  const std::regex asked(
      R"((?:\.|->)(text|required|number|one_of|duration_us|keep_us|secret|table|tables)\("([a-z_]+)\")");
  std::set<std::string> keys;
  for (std::sregex_iterator at(source.begin(), source.end(), asked), end; at != end; ++at) {
    const std::string key = (*at)[2];
    if ((*at)[1] != "secret")
      keys.insert(key);
    else
      keys.insert({key + "_env", key + "_file"});
  }
  return keys;
}

TEST(ConfigurationPage, NamesEachKey) {
  const std::string page = read_text("docs/configuration.md");
  EXPECT_GT(known_keys().size(), 20u);
  for (const std::string& key : known_keys()) {
    const bool is_named = page.find("`" + key + "`") != std::string::npos ||
                          page.find("[" + key) != std::string::npos ||
                          page.find("." + key + "]") != std::string::npos;
    EXPECT_TRUE(is_named) << "docs/configuration.md does not name `" << key << "`";
  }
}

std::string printed(const std::string& command) {
  struct Close {
    void operator()(std::FILE* pipe) const { pclose(pipe); }
  };
  const std::unique_ptr<std::FILE, Close> pipe(
      popen((std::string(FLOW_BINARY_DIR) + "/" + command).c_str(), "r"));
  std::string out;
  std::array<char, 4096> buffer;
  while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) out += buffer.data();
  return out;
}

TEST(CommandPage, NamesEachOption) {
  const std::string page = read_text("docs/cli.md");
  std::vector<std::string> commands;
#define FLOW_COMMAND(name, where, summary) commands.emplace_back(#name);
#include "apps/cli/commands.def"
#undef FLOW_COMMAND
  commands.insert(commands.end(), {"runs list", "runs show"});
  const std::regex option(R"(--[a-z][a-z-]+)");
  for (const std::string& command : commands) {
    const std::size_t section = page.find("## flow " + command + "\n");
    ASSERT_NE(section, std::string::npos) << "docs/cli.md has no section `## flow " << command << "`";
    const std::string text = page.substr(section, page.find("\n## ", section + 1) - section);
    const std::string help = printed("flow " + command + " --help");
    EXPECT_NE(help.find("Usage"), std::string::npos) << command;
    const std::string options = help.substr(0, help.find("Exit codes"));
    for (std::sregex_iterator at(options.begin(), options.end(), option), end; at != end; ++at)
      EXPECT_TRUE(at->str() == "--help" || text.find("`" + at->str()) != std::string::npos)
          << command << " " << at->str();
  }
}

}  // namespace
}  // namespace flow
