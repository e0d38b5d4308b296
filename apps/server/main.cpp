// `flow-runtime`: the commands that need the network or the store. Started by `flow`, with the same command
// line.
#include <algorithm>
#include <CLI/CLI.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/cli/unknown_option.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "apps/server/store_place.hpp"
#include "apps/server/world.hpp"
#include "apps/sim/tenant.hpp"
#include "base/text.hpp"
#include "vm/interp/maps.hpp"

namespace {

// The options by which run and serve find their tenant.
template <class Options>
void add_tenant_options(CLI::App* command, Options& options) {
  command->add_option("--config", options.config, "the configuration, as flow.toml");
  command->add_flag("--sim", options.sim, "use the pretend tenant of `flow sim` on this machine instead");
  command->add_option("--sim-port", options.sim_port, "its HTTP port")->capture_default_str();
  command->add_option("--sim-smtp-port", options.sim_smtp_port, "its SMTP port")->capture_default_str();
  command->add_option("--mail", options.mail, "with --sim: by which service mail goes")
      ->check(CLI::IsMember({"graph", "graph-draft", "smtp", "gmail", "acs"}))
      ->capture_default_str();
}

// A duration as `250ms` or `1h30m`; anything else is wrong usage.
void add_duration(CLI::App* command, const std::string& name, std::int64_t& duration_us,
                  const std::string& summary) {
  const auto take = [&duration_us, name](const std::string& text) {
    const auto given = flow::parse_duration_us(text);
    if (!given || *given <= 0)
      throw CLI::ValidationError(name, "`" + text + "` is no duration, as 30s or 250ms");
    duration_us = *given;
  };
  command->add_option_function<std::string>(name, take, summary)->type_name("DURATION");
}

int command(int argc, char** argv) {
  CLI::App app{"Flow: the commands that reach a tenant.", "flow"};
  app.require_subcommand(1);

  flow::RunOptions run;
  CLI::App* const run_command = app.add_subcommand("run", "run a flow once, for one event or with arguments");
  run_command
      ->add_option("FILE", run.file, "a `.flow` or `.flowc` file, or the name of a flow that a service runs")
      ->required();
  CLI::Option* const event_option = run_command->add_option(
      "--event", run.event, "a file with the event as JSON, as an alert; - is standard input");
  run_command->add_option("--arg", run.args, "an argument of a flow on manual: name=value; can be repeated")
      ->allow_extra_args(false)
      ->excludes(event_option);
  run_command->add_option("--flow", run.flow, "which flow on manual, when the file has several")
      ->excludes(event_option);
  run_command->add_option("--param", run.params, "sets a parameter of the flow: name=value; can be repeated")
      ->allow_extra_args(false);
  run_command->add_option("--tenant", run.tenant, "which tenant of the configuration");
  add_tenant_options(run_command, run);

  flow::ConnectorAddOptions connector;
  CLI::App* const connector_command =
      app.add_subcommand("connector", "make a connector of the description of an API");
  connector_command->require_subcommand(1);
  CLI::App* const connector_add_command =
      connector_command->add_subcommand("add", "turn a Swagger 2 or OpenAPI 3 document into a declaration");
  connector_add_command->add_option("FILE", connector.file, "the document, JSON or YAML; - is standard input")
      ->required();
  connector_add_command->add_option("-o,--output", connector.output,
                                    "the `.flow` file to write; - is standard output (default: NAME.flow in "
                                    "this folder)");
  connector_add_command->add_option("--name", connector.name,
                                    "the connector's name (default: from the document's title)");
  connector_add_command
      ->add_option("--effect", connector.effects,
                   "what an operation does: operation=read, act or notify; can be repeated")
      ->allow_extra_args(false);
  connector_add_command
      ->add_option("--report", connector.report, "how to say what was left out: text or json")
      ->check(CLI::IsMember({"text", "json"}));

  flow::HuntSchemaOptions hunt;
  CLI::App* const hunt_command = app.add_subcommand("hunt", "write down which columns hunting queries give");
  hunt_command->require_subcommand(1);
  CLI::App* const hunt_schema_command =
      hunt_command->add_subcommand("schema", "ask a tenant for them, and write records of the rows");
  hunt_schema_command->add_option("FILE", hunt.file, "a `.flow` file with queries, as kql\"…\"")->required();
  hunt_schema_command->add_option(
      "-o,--output", hunt.output,
      "the file to write; - is standard output (default: FILE_rows.flow beside it)");
  hunt_schema_command->add_flag("--check", hunt.is_check, "only say whether the file is still right");
  hunt_schema_command->add_option("--config", hunt.config, "the configuration, as flow.toml");
  hunt_schema_command->add_option("--tenant", hunt.tenant, "which tenant of the configuration");
  hunt_schema_command->add_flag("--sim", hunt.sim, "ask the pretend tenant of `flow sim` on this machine");
  hunt_schema_command->add_option("--sim-port", hunt.sim_port, "its HTTP port")->capture_default_str();

  flow::BacktestOptions backtest;
  CLI::App* const backtest_command =
      app.add_subcommand("backtest", "say what flows would have done with events of the past");
  backtest_command->add_option("FILE", backtest.file, "a `.flow` or `.flowc` file")->required();
  CLI::Option* const past_option = backtest_command->add_option(
      "--events", backtest.events,
      "the events: a JSON array, or one JSON object a line; - is standard input");
  add_duration(backtest_command, "--since", backtest.since_us,
               "the tenant's events of so long before, as 30d");
  backtest_command->get_option("--since")->excludes(past_option);
  backtest_command->add_option("--answers", backtest.answers, "a JSON file with what reads are answered");
  backtest_command->add_option("--param", backtest.params, "sets a parameter of the flow: name=value")
      ->allow_extra_args(false);
  backtest_command->add_option("--tenant", backtest.tenant, "which tenant of the configuration");
  backtest_command->add_option("--config", backtest.config, "the configuration, as flow.toml");
  backtest_command->add_flag("--sim", backtest.sim, "ask the pretend tenant of `flow sim` on this machine");
  backtest_command->add_option("--sim-port", backtest.sim_port, "its HTTP port")->capture_default_str();
  backtest_command->add_flag("--json", backtest.json, "print JSON");

  std::string config_file = "flow.toml";
  CLI::App* const config_command = app.add_subcommand("config", "check flow.toml");
  config_command->require_subcommand(1);
  CLI::App* const config_check_command =
      config_command->add_subcommand("check", "report what is wrong with it");
  config_check_command->add_option("FILE", config_file, "the configuration")->capture_default_str();

  flow::DoctorOptions doctor;
  CLI::App* const doctor_command =
      app.add_subcommand("doctor", "try credentials, and compare what they allow with what flows need");
  doctor_command->add_option("FILES", doctor.files, "`.flow` or `.flowc` files; without, what is deployed");
  doctor_command->add_option("--config", doctor.config, "the configuration, as flow.toml");
  doctor_command->add_option("--tenant", doctor.tenant, "only this tenant of the configuration");
  doctor_command->add_flag("--sim", doctor.sim, "examine the pretend tenant of `flow sim` on this machine");
  doctor_command->add_option("--sim-port", doctor.sim_port, "its HTTP port")->capture_default_str();
  CLI::Option* const doctor_json = doctor_command->add_flag("--json", doctor.json, "print JSON");
  doctor_command->add_flag("--script", doctor.is_script, "print only the commands that grant what is missing")
      ->excludes(doctor_json);

  flow::LoginOptions login;
  CLI::App* const login_command =
      app.add_subcommand("login", "let a person sign in, on whose behalf flows then act");
  login_command->add_option("--config", login.config, "the configuration, as flow.toml");
  login_command->add_option("--tenant", login.tenant, "which tenant of the configuration");

  flow::ServeOptions serve;
  CLI::App* const serve_command = app.add_subcommand("serve", "run flows day and night");
  serve_command->add_option("FILES", serve.files,
                            "`.flow` or `.flowc` files, which then are all that is live; without, what was "
                            "deployed stays so");
  serve_command->add_option("--store", serve.store,
                            "the file with runs and journals, instead of the configuration's");
  add_duration(serve_command, "--poll-every", serve.poll_every_us,
               "ask for new events so often, as 30s, instead of the configuration's interval");
  add_duration(serve_command, "--look-back", serve.look_back_us,
               "when a trigger is new, also take its events of so long before, as 1h");
  serve_command->add_flag("--quiet", serve.quiet, "print problems only");
  serve_command->add_option("--crash-at-append", serve.crash_at_append)->group("");  // tests only
  add_tenant_options(serve_command, serve);

  flow::DeployOptions deploy;
  CLI::App* const deploy_command =
      app.add_subcommand("deploy", "make versions of flows live, go back, or try one as a shadow");
  deploy_command->add_option("FILES", deploy.files,
                             "`.flow` or `.flowc` files, of which each flow is live then");
  deploy_command->add_flag("--shadow", deploy.shadow,
                           "let them run beside what is live, on the same events, performing nothing");
  deploy_command->add_option("--back", deploy.back, "let the version before of this flow be live again");
  deploy_command->add_option("--withdraw", deploy.withdraw, "let nothing start this flow any more");
  deploy_command->add_option("--end-shadow", deploy.end_shadow, "end the shadow of this flow");
  deploy_command->add_option("--tenant", deploy.tenant, "only for this tenant");
  deploy_command->add_option("--by", deploy.by, "who says so, for the record");

  flow::DeploymentsCommandOptions deployments, comparison{.compares = true};
  CLI::App* const deployments_command =
      app.add_subcommand("deployments", "list what is live, or compare a shadow with what is");
  deployments_command->require_subcommand(1);
  CLI::App* const live_command = deployments_command->add_subcommand("list", "what is live, and shadows");
  live_command->add_option("--flow", deployments.flow, "only of this flow");
  live_command->add_flag("--all", deployments.all, "each change since the beginning");
  CLI::App* const compare_command = deployments_command->add_subcommand(
      "compare", "on which events a flow and its shadow did not do the same");
  compare_command->add_option("FLOW", comparison.flow, "the flow")->required();
  for (const auto& [command, options] :
       {std::pair(live_command, &deployments), std::pair(compare_command, &comparison)}) {
    command->add_option("--tenant", options->tenant, "only of this tenant");
    command->add_flag("--json", options->json, "print JSON");
    command->add_option("--config", options->config, "the configuration of the service, as flow.toml");
    command->add_option("--store", options->store, "the file with runs and journals");
  }
  deploy_command->add_option("--config", deploy.config, "the configuration of the service, as flow.toml");
  deploy_command->add_option("--store", deploy.store, "the file with runs and journals");

  flow::ReloadOptions reload;
  CLI::App* const reload_command =
      app.add_subcommand("reload", "let the service read its flow.toml anew, without a restart");
  reload_command->add_option("--config", reload.config, "the configuration of the service, as flow.toml")
      ->required();
  reload_command->add_option("--by", reload.by, "who says so, for the record");
  reload_command->add_flag("--json", reload.json, "print JSON");

  flow::RunsOptions runs;
  CLI::App* const runs_command = app.add_subcommand("runs", "list runs, or show one step by step");
  runs_command->require_subcommand(1);
  CLI::App* const list_command = runs_command->add_subcommand("list", "the newest runs first");
  list_command->add_option("--flow", runs.flow, "only of this flow");
  list_command->add_option("--state", runs.state, "running, parked, skipped, finished, stopped or failed");
  list_command->add_option("--tenant", runs.tenant, "only of this tenant");
  list_command->add_option("--alert", runs.alert, "only of this alert, or of the event with this key");
  list_command->add_option("--machine", runs.machine, "only of events about this machine");
  list_command->add_option("--since", runs.since,
                           "begun from then on: 2h, 2026-11-22 or 2026-11-22T06:00:00Z");
  list_command->add_option("--until", runs.until, "begun before then");
  list_command->add_option("--before", runs.before,
                           "only older ones than the run with this ID: the next page");
  list_command->add_option("--limit", runs.limit, "at most so many")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  CLI::App* const show_command =
      runs_command->add_subcommand("show", "each step with time, arguments and result");
  show_command->add_option("ID", runs.id, "the run")->required();
  // Who only reads the store may name the configuration that says where it is.
  std::string config_of_store;
  std::vector<CLI::Option*> stores;
  const auto add_store = [&](CLI::App* command, std::string& path) {
    stores.push_back(
        command->add_option("--store", path, "the file with runs and journals")->capture_default_str());
    command->add_option("--config", config_of_store, "the configuration that names the store, as flow.toml");
  };
  for (CLI::App* command : {list_command, show_command}) {
    add_store(command, runs.store);
    command->add_flag("--json", runs.json, "print JSON");
  }

  using What = flow::ControlRequest::What;
  flow::ControlOptions resume, cancel{.what = What::Cancel}, retry{.what = What::Retry};
  CLI::App* const resume_command =
      runs_command->add_subcommand("resume", "let a run go on that failed or is parked");
  CLI::Option* const happened_option = resume_command->add_option(
      "--happened", resume.happened, "the call in doubt has happened, and this is its result, as JSON");
  resume_command
      ->add_flag("--did-not-happen", resume.did_not_happen, "the call in doubt has not happened: make it")
      ->excludes(happened_option);
  CLI::App* const retry_command = runs_command->add_subcommand(
      "retry", "begin a new run for the event of another, on today's version of its flow");
  for (const auto& [command, options] :
       {std::pair(resume_command, &resume), std::pair(retry_command, &retry)}) {
    CLI::Option* const id_option = command->add_option("ID", options->id, "the run");
    command->add_flag("--failed", options->failed, "all that failed")->excludes(id_option);
    command->add_option("--flow", options->flow, "with --failed: only of this flow");
    command->add_option("--tenant", options->tenant, "with --failed: only of this tenant");
    add_duration(command, "--since", options->since_us, "with --failed: begun within that time, as 2h");
  }
  CLI::App* const cancel_command =
      runs_command->add_subcommand("cancel", "end a run where it stands; nothing is undone");
  cancel_command->add_option("ID", cancel.id, "the run")->required();
  cancel_command->add_option("--reason", cancel.reason, "why, for the journal");
  for (const auto& [command, options] : {std::pair(resume_command, &resume), std::pair(retry_command, &retry),
                                         std::pair(cancel_command, &cancel)}) {
    command->add_option("--config", options->config, "the configuration of the service, as flow.toml");
    command->add_option("--store", options->store, "the file with runs and journals");
    command->add_option("--by", options->by, "who says so, for the journal");
  }

  flow::WhyOptions why;
  CLI::App* const why_command =
      app.add_subcommand("why", "say which flows ran for an alert, and why others did not");
  CLI::App* const why_run_command = runs_command->add_subcommand(
      "why", "say why a run did not get to its body, or what policies did to it");
  why_command->add_option("ALERT", why.alert, "the alert's ID")->required();
  why_command->add_option("--event", why.event, "a file with the alert as JSON");
  why_command->add_option("--flow", why.flow, "only this flow");
  why_command->add_option("--tenant", why.tenant, "only this tenant");
  why_run_command->add_option("RUN", why.run, "the run's ID")->required();
  for (CLI::App* command : {why_command, why_run_command}) {
    command->add_option("--source", why.source,
                        "the `.flow` file, for the text of the condition (default: where it was)");
    command->add_option("--config", why.config, "the configuration: what is not in the store is asked for");
    command->add_option("--store", why.store, "the file with runs and journals");
    command->add_flag("--json", why.json, "print JSON");
  }

  flow::QuestionsOptions questions;
  CLI::App* const questions_command =
      app.add_subcommand("questions", "list what runs ask people, or answer it");
  questions_command->require_subcommand(1);
  CLI::App* const asked_command = questions_command->add_subcommand("list", "the newest questions first");
  asked_command->add_flag("--all", questions.all, "also those that are closed");
  asked_command->add_option("--tenant", questions.tenant, "only of this tenant");
  asked_command->add_flag("--json", questions.json, "print JSON");
  CLI::App* const answer_command = questions_command->add_subcommand("answer", "answer one of them");
  CLI::App* const approve_command = app.add_subcommand("approve", "agree to what a run asks, or refuse it");
  bool is_refusal = false;
  approve_command->add_flag("--refuse", is_refusal, "refuse it");
  for (CLI::App* command : {answer_command, approve_command}) {
    command->add_option("ID", questions.id, "the question, as `flow questions list` prints it")->required();
    command->add_option("--by", questions.by, "whose answer it is: an address of those who were asked")
        ->required();
  }
  answer_command->add_option("ANSWER", questions.answer, "one of its options")->required();
  for (CLI::App* command : {asked_command, answer_command, approve_command}) {
    command->add_option("--config", questions.config, "the configuration of the service, as flow.toml");
    command->add_option("--store", questions.store, "the file with runs and journals");
  }

  flow::AuditOptions audit;
  CLI::App* const audit_command = app.add_subcommand(
      "audit", "print who did what to which machine and why, or prove that nothing of it was changed");
  audit_command->require_subcommand(1);
  CLI::App* const export_command =
      audit_command->add_subcommand("export", "the rows of the trail, oldest first");
  export_command->add_option("--since", audit.since, "from then on: 2h, 2026-11-22 or 2026-11-22T06:00:00Z");
  export_command->add_option("--until", audit.until, "before then");
  export_command->add_option("--tenant", audit.tenant, "only of this tenant");
  export_command->add_option("--flow", audit.flow, "only of this flow");
  export_command->add_option("--run", audit.run, "only of this run");
  export_command->add_option("--machine", audit.machine,
                             "only what was done to this machine, or whatever it acts on");
  export_command->add_flag("--json", audit.json, "print one JSON object a line, with its hash");
  CLI::App* const verify_command =
      audit_command->add_subcommand("verify", "compute the chain of hashes anew, and say where it breaks");
  verify_command->add_option("--head", audit.head,
                             "a head that was kept elsewhere: it must still be in the chain");
  for (CLI::App* command : {export_command, verify_command}) add_store(command, audit.store);

  flow::StoreOptions store;
  CLI::App* const store_command =
      app.add_subcommand("store", "check the file with runs and journals, copy it, or bring it up to date");
  store_command->require_subcommand(1);
  CLI::App* const check_command =
      store_command->add_subcommand("check", "say whether the file and all in it is sound");
  CLI::App* const backup_command =
      store_command->add_subcommand("backup", "copy it, also while a service runs");
  backup_command->add_option("FILE", store.to, "the copy, which must not exist")->required();
  CLI::App* const migrate_command = store_command->add_subcommand(
      "migrate", "bring it to this program's version, with a copy of before beside it");
  for (CLI::App* command : {check_command, backup_command, migrate_command}) add_store(command, store.store);

  flow::TraceCommandOptions trace;
  CLI::App* const trace_command =
      app.add_subcommand("trace", "replay a run step by step with its values, forwards and backwards");
  trace_command->add_option("RUN", trace.id, "the run's ID, as `flow runs list` prints it")->required();
  add_store(trace_command, trace.store);
  trace_command->add_option("--source", trace.source,
                            "the `.flow` file of the run, to show its lines (default: where it was)");
  trace_command->add_flag("--instructions", trace.by_instruction,
                          "show each instruction of the machine, not each statement");
  trace_command->add_option("--from", trace.from, "begin with this step")->check(CLI::PositiveNumber);
  trace_command->add_option("--to", trace.to, "end with this step")->check(CLI::PositiveNumber);
  trace_command->add_flag("--backwards", trace.backwards, "show the last step first");
  CLI::Option* const step_option =
      trace_command->add_flag("--step", trace.step, "go step by step, by commands on standard input");
  trace_command->add_flag("--json", trace.json, "print one JSON object a line")->excludes(step_option);

  flow::SimOptions sim{.port = 8123, .smtp_port = 2525};
  CLI::App* const sim_command = app.add_subcommand("sim", "start a pretend Defender tenant");
  sim_command
      ->add_option("--port", sim.port,
                   "HTTP: sign-in, Defender, Graph and the controls; 0 takes any free one")
      ->capture_default_str();
  sim_command->add_option("--smtp-port", sim.smtp_port, "SMTP; 0 takes any free one")->capture_default_str();
  sim_command
      ->add_option("--smtps-port", sim.smtps_port, "SMTP with TLS from the first byte; 0 takes any free one")
      ->capture_default_str();
  sim_command->add_flag("--smtp-requires-tls", sim.smtp_requires_tls,
                        "take no login and no mail before STARTTLS");
  sim_command->add_option("--ca-file", sim.ca_file,
                          "write the certificate to trust the mail server by to this file");
  sim_command->add_option("--seed", sim.seed, "decides machines, alerts and ids")->capture_default_str();
  sim_command->add_option("--alerts", sim.alerts_file, "a JSON file with alerts in Defender's own shape");
  sim_command->add_option("--scenario", sim.scenario_file, "a JSON file with a story that begins at once");
  sim_command->add_option("--speed", sim.speed, "the tenant's clock goes so many times as fast")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str();
  sim_command->add_option("--record", sim.record_file, "write all exchanges to this new file");
  sim_command->add_option(
      "--upstream", sim.upstream,
      "pass requests on to this API, as https://api.security.microsoft.com; with --record");
  sim_command->add_option("--replay", sim.replay_file,
                          "answer from a recording, not from the pretend tenant");

  flow::DemoOptions demo;
  CLI::App* const demo_command = app.add_subcommand("demo", "let a day of alerts arrive in a minute");
  demo_command->add_option("FILES", demo.files, "`.flow` or `.flowc` files")->required();
  demo_command->add_option("--alerts", demo.alerts, "alerts of the day")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  demo_command->add_option("--seconds", demo.seconds, "how long the day takes")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  demo_command->add_option("--seed", demo.seed, "decides machines, alerts and ids")->capture_default_str();
  demo_command->add_option("--mail", demo.mail, "by which service mail goes")
      ->check(CLI::IsMember({"graph", "graph-draft", "smtp", "gmail", "acs"}))
      ->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    if (const std::string unknown = flow::unknown_option(app); !unknown.empty())
      return flow::complain(unknown), flow::kUsage;
    return app.exit(error) == 0 ? flow::kSuccess : flow::kUsage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? flow::kSuccess : flow::kUsage;
  }
  const bool is_store_named =
      std::ranges::any_of(stores, [](const CLI::Option* option) { return option->count() > 0; });
  if (!config_of_store.empty() && !is_store_named) {
    const auto place = flow::store_place(config_of_store, {});
    if (!place) return flow::complain(place.error().message), place.error().code;
    runs.store = audit.store = store.store = trace.store = place->store;
  }
  if (live_command->parsed()) return flow::run_deployments(deployments);
  if (compare_command->parsed()) return flow::run_deployments(comparison);
  if (connector_add_command->parsed()) return flow::run_connector_add(connector);
  if (hunt_schema_command->parsed()) return flow::run_hunt_schema(hunt);
  if (config_check_command->parsed()) return flow::run_config_check(config_file);
  if (list_command->parsed()) return flow::run_runs_list(runs);
  if (show_command->parsed()) return flow::run_runs_show(runs);
  if (asked_command->parsed()) return flow::run_questions_list(questions);
  if (approve_command->parsed()) questions.answer = is_refusal ? "refuse" : "approve";
  if (export_command->parsed()) return flow::run_audit_export(audit);
  if (verify_command->parsed()) return flow::run_audit_verify(audit);
  if (check_command->parsed()) return flow::run_store_check(store);
  if (backup_command->parsed()) return flow::run_store_backup(store);
  if (migrate_command->parsed()) return flow::run_store_migrate(store);
  if (trace_command->parsed()) return flow::run_trace(trace);
  if (sim_command->parsed()) return flow::run_sim(sim);
  flow::block_signals(serve_command->parsed() && !serve.config.empty());  // before the first thread
  flow::set_map_seed(flow::SystemRandom().next());
  if (doctor_command->parsed()) return flow::run_doctor(doctor);
  if (login_command->parsed()) return flow::run_login(login);
  if (why_command->parsed() || why_run_command->parsed()) return flow::run_why(why);
  if (resume_command->parsed()) return flow::run_runs_control(resume);
  if (cancel_command->parsed()) return flow::run_runs_control(cancel);
  if (retry_command->parsed()) return flow::run_runs_control(retry);
  if (answer_command->parsed() || approve_command->parsed()) return flow::run_questions_answer(questions);
  if (backtest_command->parsed()) return flow::run_backtest(backtest);
  const bool is_file = run.file.ends_with(".flow") || run.file.ends_with(".flowc");
  if (run_command->parsed()) return is_file ? flow::run_once(run) : flow::run_at_service(run);
  if (serve_command->parsed()) return flow::run_serve(serve);
  if (deploy_command->parsed()) return flow::run_deploy(deploy);
  if (reload_command->parsed()) return flow::run_reload(reload);
  return flow::run_demo(demo);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return flow::when_written(command(argc, argv));
  } catch (const std::system_error& problem) {  // of a print, when the disk is full
    if (problem.code() == std::errc::broken_pipe) return flow::kWorldWrong;
    flow::complain(problem.what());
    return flow::kWorldWrong;
  }
}
