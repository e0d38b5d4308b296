#include "flows.hpp"

#include <fmt/format.h>

#include "base/result.hpp"
#include "compiler/compile.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::test {
namespace {

using Start = SimulatedFlow::Start;

struct Text {
  const char* name;
  Start start;
  const char* text;  // VERSION stands for the number of the version
  bool is_on_few_machines = false;
};

constexpr Text kTexts[] = {
    {"contain", Start::Alert, R"(
flow contain on alert.new when title == "contain" and machine.platform != "none" do {
    log "contained by version VERSION"
    isolate(machineId, comment: title)
    mail("soc@contoso.com", "Isolated {machine.name}", "by version VERSION")
}
on error e {
    mail("lead@contoso.com", "Not isolated: {machineId}", e.message)
})"},
    {"tag", Start::Alert, R"(
flow tag on alert.new when title == "tag" do {
    let results = for tag in ["a", "b", "c", "VERSION"] at most 2 at once on error collect {
        add_tag(machineId, tag)
        yield tag
    }
    log "{results.count(r => r.ok)} tags"
})"},
    {"scan_later", Start::Alert, R"(
flow scan_later on alert.new when title == "scan_later" do {
    wait 10m
    run_antivirus_scan(machineId, comment: "later, VERSION")
    wait 3s
    mail("soc@contoso.com", "Scanned", title)
})"},
    {"watch", Start::Alert, R"(
flow watch on alert.new when title == "watch" do {
    let action = await isolate(machineId, comment: "watched") within 40m
    log "{action.status} VERSION"
    unisolate(machineId, comment: "over")
}
on error e { log "{e.kind}" })"},
    {"approved", Start::Alert, R"(
flow approved on alert.new when title == "approved" do {
    let is_agreed = approve(by: ["ann@contoso.com", "bob@contoso.com"], subject: "Isolate {machineId}?") within 3h else false
    if is_agreed { isolate(machineId, comment: "agreed VERSION") } else { log "nobody wants it" }
})"},
    {"asked", Start::Alert, R"(
flow asked on alert.new when title == "asked" do {
    let choice = ask(to: ["ann@contoso.com"], question: "What now?", options: ["Isolate", "Scan", "Ignore"]) within 1d else "Scan"
    match choice {
        "Isolate" => isolate(machineId, comment: "VERSION")
        "Scan" => run_antivirus_scan(machineId, comment: "VERSION")
        _ => log "left alone"
    }
})"},
    {"limited", Start::Alert, R"(
flow limited on alert.new when title == "limited" limit run_antivirus_scan to 3 per 1h do {
    run_antivirus_scan(machineId, comment: "limited VERSION")
}
on error e { log "{e.kind}" })"},
    {"spared", Start::Alert, R"(
flow spared on alert.new when title == "spared" limit isolate to 2 per 30m else skip do {
    isolate(machineId, comment: "spared VERSION")
    mail("soc@contoso.com", "spared", "VERSION")
})"},
    {"permitted", Start::Alert, R"(
flow permitted on alert.new when title == "permitted" limit isolate to 1 per 1h else ask "lead@contoso.com" do {
    isolate(machineId, comment: "permitted VERSION")
}
on error e { log "{e.kind}" })"},
    {"once_each", Start::Alert, R"(
flow once_each on alert.new when title == "once_each" once per machineId within 2h do {
    run_antivirus_scan(machineId, comment: "once VERSION")
})",
     true},
    {"few_at_once", Start::Alert, R"(
flow few_at_once on alert.new when title == "few_at_once" at most 2 at once do {
    isolate(machineId, comment: "few VERSION")
    wait 7m
    unisolate(machineId, comment: "few")
})"},
    {"in_time", Start::Alert, R"(
flow in_time on alert.new when title == "in_time" within 30m do {
    isolate(machineId, comment: "in time VERSION")
    wait 29m
    run_antivirus_scan(machineId, comment: "in time")
    wait 1h
}
on error e {
    unisolate(machineId, comment: "{e.kind}")
})"},
    {"calls", Start::Alert, R"(
flow calls on alert.new when title == "calls" do {
    let id = call cut_off(machineId, reason: title) within 1h
    log "{id} VERSION"
    start notes("contained {machineId}")
}
on error e { log "{e.kind}" }
flow cut_off on call (device: MachineId, reason: String) -> ActionId do {
    let action = isolate(device, comment: reason)
    wait 20s
    return action.id
}
flow notes on call (text: String) do mail("soc@contoso.com", "Note VERSION", text))"},
    {"calls_long", Start::Alert, R"(
flow calls_long on alert.new when title == "calls_long" do {
    let text = call rests("VERSION") within 3h
    log text
    mail("soc@contoso.com", "rested", text)
}
on error e { log "{e.kind}" }
flow rests on call (text: String) -> String do {
    wait 40m
    return "{text} rested"
})"},
    {"leased", Start::Alert, R"(
flow leased on alert.new when title == "leased" do {
    isolate(machineId, comment: "leased VERSION") lease 40m
    mail("soc@contoso.com", "Leased", title)
}
on error e { log "{e.kind}" })"},
    {"confirmed", Start::Alert, R"(
flow confirmed on alert.new when title == "confirmed" do {
    isolate(machineId, comment: "leased VERSION") lease 1h
    wait 20m
    isolate(machineId, comment: "kept VERSION")
}
on error e { log "{e.kind}" })"},
    {"shared_lease", Start::Alert, R"(
flow shared_lease on alert.new when title == "shared_lease" do {
    isolate(machineId, comment: "leased VERSION") lease 30m
})",
     true},
    {"graph", Start::Alert, R"(
flow graph on alert.new when title == "graph" do {
    steps {
        cut: isolate(machineId, comment: "VERSION")
        scan: run_antivirus_scan(machineId, comment: title) after cut
        package: collect_investigation_package(machineId, comment: title) after cut
        page: mail("lead@contoso.com", "Not isolated: {machineId}", title) after cut failed or timed out
        tell: mail("soc@contoso.com", "Contained {machineId}", title) after scan, package
    }
}
on error e { log "{e.kind}" })"},
    {"races", Start::Alert, R"(
flow races on alert.new when title == "races" do {
    parallel any {
        run_antivirus_scan(machineId, comment: "VERSION")
        wait 2s
    }
    parallel {
        add_tag(machineId, "x")
        isolate(machineId, comment: "after the race")
        wait 10s
    }
}
on error e { log "{e.kind}" })"},
    {"patient", Start::Alert, R"(
flow patient on alert.new when title == "patient" do {
    isolate(machineId, comment: "VERSION") retry 8 backoff 5s..2m timeout 20s
    update_alert(alertId, status: Resolved)
}
on error e { log "{e.kind}" })"},
    {"dry", Start::Alert, R"(
flow dry on alert.new when title == "dry" dry run do {
    isolate(machineId, comment: "never VERSION")
    mail("soc@contoso.com", "never", "VERSION")
})"},
    {"hook", Start::Webhook, R"(
flow hook on webhook "hook" (payload: Json) do {
    add_tag("1111111111111111111111111111111111111111" as MachineId, "VERSION")
    respond 202, "taken"
    let more = receive("callback") within 2h else null
    mail("soc@contoso.com", "hook", "{more}")
}
on error e { log "{e.kind}" })"},
    {"by_hand", Start::Manual, R"(
flow by_hand on manual (number: Int) do {
    log "{number} {uuid()} {random()} {now()}"
    wait 1m
    mail("soc@contoso.com", "by hand", "VERSION")
    if number % 3 == 0 { fail "a multiple of three" }
})"},
    {"hourly", Start::Schedule, R"(
flow hourly on every 30m catch up all do {
    log "{scheduledAt} VERSION"
    mail("soc@contoso.com", "{scheduledAt}", "VERSION")
})"},
    {"after_failure", Start::Failure, R"(
flow after_failure on run.failed do {
    mail("soc@contoso.com", "{run.flow} failed", "{error.kind} VERSION")
})"},
};

std::string of_version(std::string text, int version) {
  for (std::size_t at = text.find("VERSION"); at != std::string::npos; at = text.find("VERSION", at))
    text.replace(at, 7, std::to_string(version));
  return text;
}

std::string compiled_bytes(const std::string& name, const std::string& text, const Library& library) {
  const Compilation made = compile({name + ".flow", text}, library);
  std::string problems;
  for (const Diagnostic& each : made.diagnostics.all()) problems += each.message + "\n";
  FLOW_CHECK(made.module.has_value(), fmt::format("flow {} compiles: {}", name, problems).c_str());
  return encode(*made.module);
}

Library declared_library() {
  std::vector<NamedText> texts;
  for (const Declaration& declaration : declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  return load_declarations(texts).library;
}

std::vector<SimulatedFlow> compile_all() {
  const Library library = declared_library();
  std::vector<SimulatedFlow> flows;
  for (const Text& each : kTexts) {
    SimulatedFlow flow{.name = each.name,
                       .start = each.start,
                       .versions = {},
                       .bytes = {},
                       .is_on_few_machines = each.is_on_few_machines};
    for (const int version : {1, 2}) {
      flow.versions.push_back(of_version(each.text, version));
      flow.bytes.push_back(compiled_bytes(each.name, flow.versions.back(), library));
    }
    flows.push_back(std::move(flow));
  }
  return flows;
}

}  // namespace

const Protections& simulated_protections() {
  static const Protections kProtections = {.module = compiled_bytes("rules", R"(
flow facts_of_machine on call (id: MachineId) do { let facts = get_machine(id)  log "{facts.id}" }
flow spared on call (operation: String, flowName: String, machineId: MachineId, machine: Machine)
protect ("{machineId}" endsWith "7" and machine.platform != "none")
do isolate("0000000000000000000000000000000000000000"))",
                                                                    declared_library()),
                                           .kinds = {{.id_type = kMachineIdType,
                                                      .id = "machineId",
                                                      .entity = "machine",
                                                      .fetch = "defender.get_machine",
                                                      .rules = {{.name = "machine.spared", .flow = 1}}}}};
  return kProtections;
}

const std::vector<SimulatedFlow>& simulated_flows() {
  static const std::vector<SimulatedFlow> kFlows = compile_all();
  return kFlows;
}

}  // namespace flow::test
