// Which part of a condition was false, by its source, with the values.
#include "runtime/why.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "apps/cli/source.hpp"
#include "apps/server/condition_source.hpp"
#include "apps/server/stored_conditions.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Verdict = Why::Verdict;

const WhyAnswers kNothing = [](const Call&, const Operation&) { return std::nullopt; };

// A file with one flow, and the module that a service would have of it.
class Written {
 public:
  explicit Written(const std::string& text)
      : folder_(std::filesystem::temp_directory_path() /
                ("why-" + std::to_string(::getpid()) + "-" + std::to_string(++count_))) {
    std::filesystem::create_directories(folder_);
    write(text);
    const auto compiled = compile_file(path());
    EXPECT_TRUE(compiled && compiled->module);
    if (compiled && compiled->module) bytes_ = encode(*compiled->module);
  }
  ~Written() { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "a.flow").string(); }
  const std::string& bytes() const { return bytes_; }
  void write(const std::string& text) const { std::ofstream(path()) << text; }
  Why why(const std::string& event, const WhyAnswers& answers = kNothing,
          const std::string& settings = "{}") {
    source_ = ConditionSource::find(bytes_, "");
    EXPECT_TRUE(source_);
    if (!source_) return {};
    const Why told = flow::why(source_->condition("a"), event, settings, answers);
    const auto stored = StoredConditions::decode(source_->stored());
    EXPECT_TRUE(stored);
    if (stored) {  // without the file it is the same
      const Why again = flow::why((*stored)->condition("a"), event, settings, answers);
      EXPECT_EQ(again.verdict, told.verdict);
      EXPECT_EQ(again.part, told.part);
      EXPECT_EQ(again.line, told.line);
      EXPECT_EQ(again.values.size(), told.values.size());
    }
    return told;
  }

 private:
  inline static int count_ = 0;
  std::filesystem::path folder_;
  std::string bytes_;
  std::unique_ptr<ConditionSource> source_;
};

std::vector<std::string> texts(const std::vector<NamedValue>& values) {
  std::vector<std::string> all;
  for (const NamedValue& each : values) all.push_back(each.name + " = " + each.value);
  return all;
}

std::string alert(const std::string& severity, const std::string& title) {
  return R"({"id":"da1","machineId":"2222222222222222222222222222222222222222","severity":")" + severity +
         R"(","title":")" + title + R"(","status":"New","alertCreationTime":"2026-11-18T11:06:40Z"})";
}

constexpr const char* kFlow = R"(flow a on alert.new
  when severity == High
    and (title == "Bad" or alert.title == "Worse")
    and machine.risk == High
do isolate(machineId)
)";

TEST(Why, NamesThePartThatIsFalseWithItsValues) {
  Written written(kFlow);
  const Why low = written.why(alert("Medium", "Bad"));
  EXPECT_EQ(low.verdict, Verdict::False);
  EXPECT_EQ(low.part, "severity == High");
  EXPECT_EQ(low.line, 2u);
  EXPECT_THAT(texts(low.values), ElementsAre("severity = \"Medium\""));
  const Why other = written.why(alert("High", "Fine"));
  EXPECT_EQ(other.verdict, Verdict::False);
  EXPECT_THAT(other.part, HasSubstr(R"(title == "Bad" or alert.title == "Worse")"));
  EXPECT_EQ(other.line, 3u);
  EXPECT_THAT(texts(other.values), ElementsAre("title = \"Fine\"", "alert.title = \"Fine\""));
}

TEST(Why, WhatHadToBeFetchedIsToldAsItWasAnswered) {
  Written written(kFlow);
  const Why unknown = written.why(alert("High", "Worse"));
  EXPECT_EQ(unknown.verdict, Verdict::Unknown);
  EXPECT_EQ(unknown.problem, "defender.get_machine");
  const auto with_risk = [](const char* risk) {
    return [risk](const Call&, const Operation& operation) -> std::optional<Outcome> {
      EXPECT_EQ(operation.full_name(), "defender.get_machine");
      return Returned{std::string(R"({"id":"2222222222222222222222222222222222222222","riskScore":")") +
                      risk + "\"}"};
    };
  };
  const Why calm = written.why(alert("High", "Worse"), with_risk("Low"));
  EXPECT_EQ(calm.verdict, Verdict::False);
  EXPECT_EQ(calm.part, "machine.risk == High");
  EXPECT_THAT(texts(calm.values), ElementsAre("machine.risk = \"Low\""));
  EXPECT_EQ(written.why(alert("High", "Worse"), with_risk("High")).verdict, Verdict::Holds);
  const Why failed = written.why(alert("High", "Bad"), [](const Call&, const Operation&) {
    return std::optional<Outcome>(Fault{.kind = FaultKind::Forbidden, .message = "no"});
  });
  EXPECT_EQ(failed.verdict, Verdict::Fails);
  EXPECT_THAT(failed.problem, HasSubstr("Forbidden: no"));
}

TEST(Why, OnceIsAPartOfItsOwn) {
  Written written(
      "flow a on alert.new when severity == High once per machineId within 1d do isolate(machineId)\n");
  const auto taken = [](bool is_free) {
    return [is_free](const Call&, const Operation&) {
      return std::optional<Outcome>(Returned{is_free ? "true" : "false"});
    };
  };
  EXPECT_EQ(written.why(alert("High", "x"), taken(true)).verdict, Verdict::Holds);
  const Why skipped = written.why(alert("High", "x"), taken(false));
  EXPECT_EQ(skipped.verdict, Verdict::False);
  EXPECT_THAT(skipped.part, HasSubstr("once per machineId"));
  EXPECT_THAT(skipped.part, HasSubstr("within 1d"));
}

TEST(Why, ParametersAreToldAndSecretsAreNot) {
  Written written(R"(param level: AlertSeverity = High
secret key
flow a on alert.new when severity == level and title != "x" do isolate(machineId)
)");
  EXPECT_THAT(texts(written.why(alert("Low", "y")).values),
              ElementsAre("severity = \"Low\"", "level = \"High\""));
  EXPECT_THAT(texts(written.why(alert("Low", "y"), kNothing, R"({"level":"Medium"})").values),
              ElementsAre("severity = \"Low\"", "level = \"Medium\""));
}

TEST(StoredConditions, BytesThatAreCutOrChangedHarmNobody) {
  const Written written(kFlow);
  const std::string kept = conditions_to_store(written.bytes(), "");
  ASSERT_FALSE(kept.empty());
  for (std::size_t length = 0; length < kept.size(); length += 1 + length / 16)
    EXPECT_FALSE(StoredConditions::decode(kept.substr(0, length))) << length;
  for (std::size_t at = 0; at < kept.size(); at += 7) {
    std::string changed = kept;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    const auto read = StoredConditions::decode(changed);
    if (!read) continue;
    const auto condition = (*read)->condition("a");
    if (condition.flow < condition.program->module().flows.size())
      static_cast<void>(flow::why(condition, alert("Low", "x"), "{}", kNothing));
  }
}

TEST(StoredConditions, ThereAreNoneOfAModuleWithoutItsSource) {
  const Written written(kFlow);
  written.write("flow a on alert.new when severity == Low do isolate(machineId)");
  EXPECT_EQ(conditions_to_store(written.bytes(), ""), "");
  EXPECT_EQ(conditions_to_store("no module", ""), "");
}

TEST(ConditionSource, IsOnlyThatOfTheDeployedVersion) {
  Written written(kFlow);
  EXPECT_TRUE(ConditionSource::find(written.bytes(), ""));
  EXPECT_TRUE(ConditionSource::find(written.bytes(), written.path()));
  EXPECT_FALSE(ConditionSource::find(written.bytes(), written.path() + "x"));
  EXPECT_FALSE(ConditionSource::find("no module", written.path()));
  written.write("flow a on alert.new when severity == Low do isolate(machineId)\n");
  EXPECT_FALSE(ConditionSource::find(written.bytes(), "")) << "it was changed since";
  written.write("flow a on");
  EXPECT_FALSE(ConditionSource::find(written.bytes(), ""));
}

TEST(Why, WithoutTheSourceTheLineIsKnown) {
  Written written(kFlow);
  auto module = decode(written.bytes());
  ASSERT_TRUE(module);
  const auto program = Program::load(std::move(*module));
  ASSERT_TRUE(program);
  const Why low = why({.program = &*program, .flow = 0, .parts = {}}, alert("Medium", "Bad"), "{}", kNothing);
  EXPECT_EQ(low.verdict, Verdict::False);
  EXPECT_EQ(low.part, "");
  EXPECT_EQ(low.line, 2u);
  EXPECT_THAT(low.values, IsEmpty());
}

}  // namespace
}  // namespace flow
