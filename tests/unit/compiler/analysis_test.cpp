// What the analysis says that golden files cannot show: by date, on demand, across files, and how long it
// takes.
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <set>

#include "compiler/analyse/conflicts.hpp"
#include "compiler/analyse/values.hpp"
#include "tests/unit/compiler/golden.hpp"
#include "vm/bytecode/permissions.hpp"

namespace flow::test {
namespace {

std::set<std::string> codes(const Diagnostics& diagnostics) {
  std::set<std::string> found;
  for (const Diagnostic& d : diagnostics.all()) found.insert(std::string(row(d.code).id));
  return found;
}

// ---- Operations that retire

const Library& retiring_library() {
  static const Declarations declared = load_declarations({{"test.flow", R"(connector test {
    base "https://test"
    record Thing { id: AlertId, created: Time }
    read get_thing(thing: AlertId) -> Thing { GET "/things/{thing}" }
    read list_things(filter: String? = null, top: Int = 10, skip: Int = 0) -> List<Thing> {
        GET "/things"
        retires "2027-03-01, test.get_thing"
    }
    trigger thing.new {
        binding thingId: AlertId from id
        entity thing: Thing by get_thing(thingId)
        poll list_things top 10 every 30s overlap 1m
        key id
        cursor created
    }
})"}});
  EXPECT_FALSE(declared.diagnostics.has_errors()) << rendered(declared.diagnostics, declared.files);
  return declared.library;
}

Compilation retiring(const std::string& today) {
  return compile({"source.flow", "on thing.new do list_things()"}, retiring_library(), {}, {},
                 {.today = today});
}

TEST(Retiring, IsAWarningUntilTheDay) {
  for (const char* const today : {"", "2026-01-01", "2027-02-28"}) {
    const Compilation compilation = retiring(today);
    ASSERT_EQ(codes(compilation.diagnostics), std::set<std::string>{"F0504"}) << today;
    const Diagnostic& told = compilation.diagnostics.all()[0];
    EXPECT_EQ(told.message, "`list_things` is retired by its vendor on 2027-03-01");
    EXPECT_EQ(told.notes[0], "`test.get_thing` takes its place");
    EXPECT_TRUE(compilation.module);
  }
}

TEST(Retiring, IsAnErrorFromTheDayOn) {
  for (const char* const today : {"2027-03-01", "2030-01-01"}) {
    const Compilation compilation = retiring(today);
    EXPECT_EQ(codes(compilation.diagnostics), std::set<std::string>{"F0606"}) << today;
    EXPECT_FALSE(compilation.module);
  }
}

TEST(Retiring, NeedsADate) {
  const Declarations declared = load_declarations({{"test.flow", R"(connector test {
    base "https://test"
    read list_things() -> List<String> { GET "/things" retires "next spring" }
})"}});
  EXPECT_EQ(codes(declared.diagnostics), std::set<std::string>{"F0105"});
}

// ---- Guardrails

TEST(Guardrails, AreAskedForByStrictChecksOnly) {
  const NamedText source{"source.flow", "on alert.new when severity == High do isolate(machineId)"};
  EXPECT_TRUE(compile(source, standard_library()).diagnostics.all().empty());
  const Compilation strict = compile(source, standard_library(), {}, {}, {.today = {}, .strict = true});
  EXPECT_EQ(codes(strict.diagnostics), std::set<std::string>{"F0604"});
}

// ---- Several files

TEST(Conflicts, AreFoundAcrossFiles) {
  const Compilation cut =
      compile({"cut.flow", "on alert.new when severity == High do isolate(machineId)"}, standard_library());
  const auto against = [&](const std::string& text) {
    const Compilation other = compile({"other.flow", text}, standard_library());
    const AnalysedFile files[] = {
        {.tree = &cut.tree, .checked = &cut.checked, .flows = &cut.analysis.flows, .number = 0},
        {.tree = &other.tree, .checked = &other.checked, .flows = &other.analysis.flows, .number = 1}};
    Diagnostics diagnostics;
    report_conflicts(files, Among::DifferentFiles, standard_library(), diagnostics);
    return rendered(diagnostics, {cut.files[0], other.files[0]});
  };
  const std::string told = against("on alert.new when severity >= Medium do unisolate(machineId)");
  EXPECT_NE(told.find("warning[F0605]: flow `other` calls `unisolate` where flow `cut` calls `isolate`"),
            std::string::npos)
      << told;
  EXPECT_NE(told.find("cut.flow:1:"), std::string::npos) << told;
  EXPECT_EQ(against("on alert.new when severity == Low do unisolate(machineId)"), "");
  EXPECT_EQ(against("on alert.new when severity != High do unisolate(machineId)"), "");
  EXPECT_EQ(against("on alert.new when severity == High do isolate(machineId)"), "");
  EXPECT_EQ(against("on alert.new do { if severity == High { stop }; unisolate(machineId) }"), "");
}

// ---- Sets of values

TEST(Values, OrderOfFloatsIsTheirs) {
  const double all[] = {-1e308, -1.5, -1e-300, 0.0, 1e-300, 1.0, 1.5, 1e308};
  for (const double x : all) {
    EXPECT_EQ(real_at(order_of(x)), x);
    for (const double y : all) EXPECT_EQ(x < y, order_of(x) < order_of(y)) << x << ' ' << y;
  }
  EXPECT_EQ(order_of(0.0), order_of(-0.0));
}

// Each set beside a plain list of the numbers from 0 to 9 that are in it.
TEST(Values, AgreeWithListsOfNumbers) {
  std::mt19937 random(7);
  const TypeTable types;
  struct Both {
    Values values;
    std::set<int> list;
  };
  const auto contains = [](const Values& values, int number) {
    return !values.with(Values::number(kIntType, number)).is_empty();
  };
  const auto fresh = [&] {
    const int first = static_cast<int>(random() % 10), last = static_cast<int>(random() % 10);
    Both both{Values::numbers(kIntType, first, last), {}};
    for (int i = first; i <= last; ++i) both.list.insert(i);
    return both;
  };
  Both now = fresh();
  for (int step = 0; step < 20'000; ++step) {
    const Both other = fresh();
    std::set<int> list;
    switch (random() % 3) {
      case 0:
        now.values = now.values.with(other.values);
        for (const int i : now.list)
          if (other.list.contains(i)) list.insert(i);
        break;
      case 1:
        now.values = now.values.without(other.values);
        for (const int i : now.list)
          if (!other.list.contains(i)) list.insert(i);
        break;
      default:
        now.values = now.values.joined(other.values);
        list = now.list;
        list.insert(other.list.begin(), other.list.end());
    }
    now.list = list;
    for (int i = 0; i < 10; ++i) ASSERT_EQ(contains(now.values, i), now.list.contains(i)) << step << ' ' << i;
    ASSERT_EQ(now.values.is_empty(), now.list.empty());
    ASSERT_EQ(now.values.is_one(types), now.list.size() == 1);
    if (now.list.empty()) now = fresh();
  }
}

// ---- Permissions

TEST(Permissions, AreTheFewestThatSuffice) {
  using List = std::vector<std::string>;
  EXPECT_EQ(least_permissions({}), List{});
  EXPECT_EQ(least_permissions({{"A.Read", "A.All"}}), List{"A.Read"});
  EXPECT_EQ(least_permissions({{"A.Read", "A.All"}, {"A.All"}}), List{"A.All"});
  EXPECT_EQ(least_permissions({{"A.Read", "A.All"}, {"B", "A.All"}}), List{"A.All"});
  EXPECT_EQ(least_permissions({{"A", "C"}, {"B", "C"}, {"A"}, {"B"}}), (List{"A", "B"}));
  // Equally few: those nearest to the front.
  EXPECT_EQ(least_permissions({{"A", "C"}, {"B", "D"}}), (List{"A", "B"}));
  EXPECT_EQ(least_permissions({{"Z", "A"}, {"Z", "A"}}), List{"Z"});
}

// ---- Time

std::string many_tests(int count) {
  std::string text = "on alert.new do {\n";
  for (int i = 0; i < count; ++i)
    text += "    if title contains \"" + std::to_string(i) +
            "\" and severity in [Low, High] and evidence.length() > " + std::to_string(i % 7) +
            " { log \"{alertId}\" }\n";
  return text + "}\n";
}

TEST(Analysis, TakesTimeInProportionToTheText) {
  const auto seconds = [](int count) {
    const std::string text = many_tests(count);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(compile({"many.flow", text}, standard_library()).diagnostics.all().size() > 1'000'000);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  seconds(100);
  const double small = seconds(300), large = seconds(3000);
  EXPECT_LT(large, 40 * small + 0.05);  // ten times the text; room for a busy machine
}

// Names of names: what they stand for must not be looked at again and again.
TEST(Analysis, ChainsOfNamesDoNotMultiply) {
  std::string text = "on alert.new do {\n    let c0 = severity == High\n    let t0 = title\n";
  for (int i = 1; i < 60; ++i) {
    const std::string last = std::to_string(i - 1), now = std::to_string(i);
    text += "    let c" + now + " = c" + last + " and (c" + last + " or status == New)\n";
    text += "    let t" + now + " = t" + last + " + t" + last + "\n";
  }
  text += "    if c59 and t59 == \"x\" { log \"{c59}\" }\n}\n";
  const Compilation compilation = compile({"chain.flow", text}, standard_library());
  EXPECT_FALSE(compilation.diagnostics.has_errors()) << rendered(compilation.diagnostics, compilation.files);
}

}  // namespace
}  // namespace flow::test
