// What the statements about errors, time and concurrency do, step by step: flows are run against scripted
// answers, with and without the optimiser, and must tell the same story.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "compiler/emit/emit.hpp"
#include "tests/unit/compiler/golden.hpp"
#include "tests/unit/compiler/running.hpp"
#include "vm/interp/machine.hpp"

namespace flow::test {
namespace {

struct Story {
  const char* name;
  // What stands in `on alert.new do { … }`, perhaps behind a line with `protect`; functions stand above
  // `---`.
  const char* source;
  std::vector<const char*> answers;  // JSON, or a kind of fault behind `!`; made up when there are no more
  const char* told;                  // a line for each call (its name only), log line and the end
};
void PrintTo(const Story& story, std::ostream* out) {
  *out << story.name;
}

constexpr const char* kAction = R"({"id":"a1","status":"Pending"})";

std::string told(const Story& story, EmitOptions options) {
  std::string functions, body = story.source, behind;
  if (const std::size_t at = body.find("\n---\n"); at != std::string::npos) {
    functions = body.substr(0, at);
    body = body.substr(at + 5);
  }
  if (const std::size_t at = body.find("\non error"); at != std::string::npos) {
    behind = body.substr(at);
    body.resize(at);
  }
  std::string policy;
  if (body.starts_with("protect ")) {
    policy = body.substr(0, body.find('\n') + 1);
    body = body.substr(policy.size());
  }
  const Compilation compilation =
      compile({"story.flow", functions + "\non alert.new" + (policy.empty() ? " " : "\n" + policy) +
                                 "do {\n" + body + "\n}" + behind + "\n"},
              standard_library());
  if (compilation.diagnostics.has_errors()) return rendered(compilation.diagnostics, compilation.files);
  Diagnostics diagnostics;
  Result<Program> program = Program::load(emit(compilation.tree, standard_library(), compilation.checked,
                                               compilation.plans, diagnostics, options));
  if (!program) return "does not verify: " + program.error().message;
  const Module& module = program->module();
  std::deque<std::string> answers(story.answers.begin(), story.answers.end());
  const auto answer = [&](const Call& call) -> Outcome {
    const TypeId result = module.operations[call.operation].result;
    if (answers.empty()) return Returned{sample_json(module.types, result, 1)};
    const std::string next = answers.front();
    answers.pop_front();
    if (!next.starts_with("!")) return Returned{next};
    return Fault{.kind = *fault_named(std::string_view(next).substr(1)), .message = "made up"};
  };
  const std::string machine_id(40, 'a');
  Machine machine(*program, 0, {.fuel = 1'000'000});
  Step step = machine.start(fmt::format(
      R"({{"id":"al1","machineId":"{}","severity":"High","status":"New","title":"T","evidence":[]}})",
      machine_id));
  std::string lines;
  for (int steps = 0; steps < 200; ++steps) {
    if (const auto* log = std::get_if<LogLine>(&step)) {
      lines += log->text + "\n";
      step = machine.resume(Returned{"null"});
    } else if (const auto* call = std::get_if<Call>(&step)) {
      lines += "> " + module.operations[call->operation].name + "\n";
      step = machine.resume(answer(*call));
    } else {
      const Ended& ended = std::get<Ended>(step);
      const char* const hows[] = {"skipped", "finished", "stopped ", "failed "};
      return lines + hows[static_cast<std::size_t>(ended.how)] + ended.reason +
             (ended.how == Ended::How::Failed
                  ? fmt::format("{}: {}", fault_name(ended.fault.kind), ended.fault.message)
                  : "");
    }
  }
  return lines + "goes on";
}

const Story kStories[] = {
    {"match_statement",
     "match severity { High, Medium => log \"much\"  Low => log \"little\"  _ => log \"else\" }\n"
     "let n = 7\nmatch n { 1..5 => log \"few\" 6..9 => log \"more\" _ => log \"many\" }\n"
     "let m: Int? = null\nmatch m { null => log \"none\" _ => log \"{m + 1}\" }\n"
     "match title { \"T\" => { log \"t\" } _ => {} }",
     {},
     "much\nmore\nnone\nt\nfinished"},
    {"match_of_unknown_value",
     "match machine.risk { null => log \"null\" None => log \"none\" Informational => log \"i\" Low => log "
     "\"l\" "
     "Medium => log \"m\" High => log \"h\" }\nlog \"on\"",
     {R"({"id":"m","riskScore":"Extreme","machineTags":[]})"},
     "> get_machine\non\nfinished"},
    {"match_expression",
     "let x: Float? = 2.5\nlet s = match x { null => \"none\" 2.0..3.0 => \"two\" _ => \"far\" }\n"
     "let b = match title == \"T\" { true => 1 false => 2 }\nlog \"{s} {b}\"",
     {},
     "two 1\nfinished"},
    {"match_by_type",
     "let all: List<Json> = [1, \"soc@contoso.com\", [true], { host: \"h\" }]\n"
     "for json in all {\n"
     "  match json {\n"
     "    is Int as n => log \"number {n + 1}\"\n"
     "    is String as text => {\n"
     "      let to = match text { is Email as address => address.user()  _ => \"nobody\" }\n"
     "      log \"to {to}\"\n"
     "    }\n"
     "    is List<Bool>, is Map<String, Bool> => log \"Bools\"\n"
     "    _ => log \"else\"\n"
     "  }\n"
     "}",
     {},
     "number 2\nto soc\nBools\nelse\nfinished"},
    {"match_of_what_may_be_null_by_type",
     "var counts: Map<String, Int>? = { a: 1 }\n"
     "for round in range(2) {\n"
     "  let sum = match counts { is Map<String, Int> as held => held.values().sum()  null => -1 }\n"
     "  log \"{sum}\"\n"
     "  counts = null\n"
     "}\n"
     "let n: Int? = 4\nmatch n { 3 => log \"three\" is Int as m => log \"{m * 2}\" null => {} }",
     {},
     "1\n-1\n8\nfinished"},
    {"what_a_match_by_type_tries_is_no_error_of_its_own",
     "let json: Json = [1]\n"
     "try { isolate(machineId) } catch e {\n"
     "  match json { is Int => log \"number\"  is List<Int> => log \"list\"  _ => {} }\n"
     "  log e.message\n fail e\n}",
     {"!Conflict"},
     "> isolate\nlist\nmade up\nfailed Conflict: made up"},
    {"try_catches_by_kind",
     "for i in range(3) {\n"
     "  try { isolate(machineId)\n log \"worked\" }\n"
     "  catch e: NotFound or Conflict { log \"{e.kind}: {e.message}\" }\n"
     "  catch e { log \"other {e.message}\" }\n"
     "  finally { log \"finally\" }\n}",
     {"!Conflict", "!Forbidden", kAction},
     "> isolate\nConflict: made up\nfinally\n> isolate\nother made up\nfinally\n> "
     "isolate\nworked\nfinally\nfinished"},
    {"try_passes_on_other_kinds",
     "try { try { isolate(machineId) } catch e: NotFound { log \"no\" } finally { log \"inner\" } }\n"
     "catch e { log \"{e.kind} {e.operation ?? \"\"}\"\n fail e }\non error e { log \"end {e.kind}\" }",
     {"!Forbidden"},
     "> isolate\ninner\nForbidden defender.isolate\nend Forbidden\nfailed Forbidden: made up"},
    {"finally_on_each_way_out",
     "fn f(n: Int) -> Int {\n  var x = n\n  try {\n    if n == 0 { return x }\n    if n == 1 { fail \"one\" "
     "}\n"
     "    log \"on\"\n  } finally { x = 9\n log \"out {n}\" }\n  return 5\n}\n---\n"
     "log \"{f(0)} {f(2)}\"\nlet r = attempt isolate(machineId)\nlog \"{r.ok}\"\n"
     "try { stop \"here {f(1)}\" } finally { log \"last\" }",
     {kAction},
     "out 0\non\nout 2\n0 5\n> isolate\ntrue\nout 1\nlast\nfailed Failed: one"},
    {"stop_within_finally", "try { stop \"here\" } finally { log \"last\" }", {}, "last\nstopped here"},
    {"a_fault_of_finally_is_not_caught_by_its_own_catch",
     "fn g() -> Int { try { return 1 } catch { log \"wrong\" } finally { fail \"f\" } }\n---\n"
     "try { log \"{g()}\" } catch e { log e.message }",
     {},
     "f\nfinished"},
    {"variables_in_try",
     "var n = 1\nvar t: String? = \"a\"\ntry { n = n + 1\n t = title\n n = n + "
     "evidence[5].entityType.length() }\n"
     "catch { log \"{n} {t}\" }",
     {},
     "2 T\nfinished"},
    {"attempt",
     "let r = attempt isolate(machineId)\nif r.ok and r.value != null { log r.value.id }\n"
     "if r.error != null { log \"{r.error.kind} {r.error.line}\" }",
     {"!Throttled"},
     "> isolate\nThrottled 3\nfinished"},
    {"functions_act",
     "fn cut(id: MachineId) -> String { let a = isolate(id)\n log \"cut\"\n return \"{a.id}\" }\n"
     "fn both(id: MachineId) -> String = cut(id) + cut(id)\n---\nlog both(machineId)",
     {kAction, kAction},
     "> isolate\ncut\n> isolate\ncut\na1a1\nfinished"},
    {"loop_collects",
     "for i in range(4) on error collect { log \"{i}\"\n if i % 2 == 1 { fail \"odd {i}\" } }",
     {},
     "0\n1\n2\n3\nfailed Failed: 2 of the loop's items failed, the first with: odd 1"},
    {"loop_collects_results",
     "let all = for i in range(3) on error collect { yield 6 / i }\n"
     "log all.map(r => if r.ok then \"{r.value}\" else \"{r.error?.kind}\").join(\" \")",
     {},
     "DivisionByZero 6 3\nfinished"},
    {"loop_limit",
     "for i in [1, 2, 3] limit 2 truncate { log \"{i}\" }\ntry { for i in [1, 2, 3] limit 2 { log \"{i}\" } "
     "}\n"
     "catch e { log \"{e.kind}: {e.message}\" }",
     {},
     "1\n2\nLimitReached: the list has 3 items, and the limit of the loop is 2\nfinished"},
    {"items_at_once",
     "let more = 10\nlet a = for x, i in [1, 2, 3] at most 2 at once { yield x * more + i }\n"
     "let b = for x in [1, 2, 3] at most 2 at once { if x != 2 { yield x\n yield x } }\n"
     "let c = for x in [0, 1] at most 5 at once on error collect { yield 1 / x }\n"
     "log \"{a.map(n => \"{n}\").join(\",\")} {b.sum()} {c.count(r => r.ok)} {severity}\"",
     {},
     "10,21,32 8 1 High\nfinished"},
    {"items_at_once_collect",
     "for x in [1, 2, 3] at most 2 at once on error collect { if x > 1 { fail \"{x} {severity}\" } }",
     {},
     "failed Failed: 2 of the loop's items failed, the first with: 2 High"},
    {"item_at_once_fails",
     "try { for x in [1, 2] at most 2 at once { fail \"{x}\" } } catch e { log e.message }",
     {},
     "1\nfinished"},
    {"parallel",
     "let word = \"w\"\nvar m = { a: 1 }\nparallel { log \"{word} {machine.name}\"  log \"{m[\"a\"]} "
     "{severity}\"\n"
     "  if word == \"w\" { let own = 1\n log \"{own} {machineId.length()}\" } }\nm[\"a\"] = 2\nlog "
     "\"{m[\"a\"]}\"",
     {R"({"id":"m","computerDnsName":"host","machineTags":[]})"},
     "> get_machine\nw host\n1 High\n1 40\n2\nfinished"},
    {"parallel_any",
     "parallel any { isolate(machineId)  log \"b\" }\nlog \"end\"",
     {kAction},
     "> isolate\nend\nfinished"},
    {"steps",
     "steps {\n a: isolate(machineId)\n b: add_tag(machineId, \"b\") after a\n"
     " c: add_tag(machineId, \"c\") after a failed or timed out\n d: unisolate(machineId) after b "
     "skipped\n}\nlog \"on\"",
     {"!Forbidden", "{\"machineTags\":[]}", kAction},
     "> isolate\n> add_tag\n> unisolate\non\nfinished"},
    {"steps_raise_what_nobody_handles",
     "steps { a: isolate(machineId)  b: add_tag(machineId, \"b\") after a }\nlog \"never\"\non error e { log "
     "\"{e.kind} {e.operation}\" }",
     {"!Conflict"},
     "> isolate\nConflict defender.isolate\nfailed Conflict: made up"},
    {"undo_in_reverse",
     "for i in range(3) { on undo { log \"undo {i} {severity}\" } }\nlet t = \"x\"\n"
     "on undo { log \"undo {t}\"\n fail \"again\" }\nisolate(machineId)\non error e { log \"error "
     "{e.message}\" }",
     {"!NotFound"},
     "> isolate\nundo x\nnot undone: again\nundo 2 High\nundo 1 High\nundo 0 High\nerror made up\nfailed "
     "NotFound: "
     "made up"},
    {"undo_is_not_needed", "on undo { log \"undo\" }\nlog \"done\"", {}, "done\nfinished"},
    {"await_with_another_way",
     "let a = attempt await isolate(machineId) within 30m\nlog \"{a.ok}\"\n"
     "let ok = approve(by: \"a@b.cd\", subject: \"Isolate?\") within 30m else false\nlog \"{ok}\"",
     {"!Timeout", "!Timeout"},
     "> isolate\nfalse\n> approve\nfalse\nfinished"},
    {"repeat_until",
     "repeat every 30s at most 5 times { let a = isolate(machineId)\n log a.id } until a.status == "
     "Succeeded\nlog \"on\"",
     {kAction, "null", R"({"id":"a2","status":"Succeeded"})"},
     "> isolate\na1\n> wait\n> isolate\na2\non\nfinished"},
    {"repeat_times_out",
     "var n = 0\nrepeat at most 3 times { n = n + 1 } until n == 5 else { log \"{n} times\" }\n"
     "try { repeat every 1m within 2m { n = n + 1 } until n == 100 } catch e { log \"{e.kind} {n}\" }\n"
     "repeat at most 2 times { log \"turn\" }",
     {"\"2026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:30Z\"", "null", "\"2026-01-01T00:01:31Z\""},
     "3 times\n> now\n> now\n> wait\n> now\nTimeout 5\nturn\nturn\nfinished"},
    {"wait",
     "wait 15m\nwait until now() + 1h\nlog \"on\"",
     {"null", "\"2026-01-01T00:00:00Z\""},
     "> wait\n> now\n> waitUntil\non\nfinished"},
    {"protect_in_branches_and_functions",
     "fn cut(device: MachineId) { isolate(device)\n add_tag(device, \"x\") }\n---\n"
     "protect machine.name matches \"^dc\"\n"
     "for n in range(2) at most 1 at once { cut(machineId) }\n"
     "let other: MachineId = \"2222222222222222222222222222222222222222\"\n"
     "let r = for n in range(1) at most 1 at once on error collect { yield attempt isolate(other) }\n"
     "for one in r { log one.value?.error?.message ?? \"isolated\" }\n"
     "cut(other)",
     {R"({"id":"m1","computerDnsName":"pc1","machineTags":[]})", kAction, "{}", kAction, "{}",
      R"({"id":"m2","computerDnsName":"dc2","machineTags":[]})", "null",
      R"({"id":"m2","computerDnsName":"dc2","machineTags":[]})", "null"},
     "> get_machine\n> isolate\n> add_tag\n> isolate\n> add_tag\n> get_machine\n> refuse\n"
     "`isolate` is refused by `protect machine.name matches \"^dc\"`\n> get_machine\n> refuse\n"
     "failed Protected: `isolate` is refused by `protect machine.name matches \"^dc\"`"},
    {"what_protect_tries_is_no_error_of_its_own",
     "protect (machine.name ?? \"\") is Domain\n"
     "isolate(machineId)\n"
     "on error e { add_tag(\"2222222222222222222222222222222222222222\", \"x\")\n log e.message }",
     {R"({"id":"m1","computerDnsName":"a b","machineTags":[]})", "!Conflict",
      R"({"id":"m2","computerDnsName":"c d","machineTags":[]})"},
     "> get_machine\n> isolate\n> get_machine\n> add_tag\nmade up\nfailed Conflict: made up"},
};

class Control : public testing::TestWithParam<Story> {};

TEST_P(Control, TellsItsStory) {
  EXPECT_EQ(told(GetParam(), {.optimise = true}), GetParam().told);
  EXPECT_EQ(told(GetParam(), {.optimise = false}), GetParam().told) << "without the optimiser";
}
INSTANTIATE_TEST_SUITE_P(Stories, Control, testing::ValuesIn(kStories),
                         [](const auto& story) { return std::string(story.param.name); });

}  // namespace
}  // namespace flow::test
