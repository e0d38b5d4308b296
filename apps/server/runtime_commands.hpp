// The commands that reach the network or the store: each takes what was said on the command line and gives
// the exit code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/control.hpp"

namespace flow {

struct RunOptions {
  std::string file;               // or the name of a flow that a service runs
  std::string event;              // empty: a flow on manual, with `args`
  std::vector<std::string> args;  // `name=value`
  std::string flow;               // on manual, when the file has several
  std::string config;
  std::string tenant;               // when the configuration names several
  std::vector<std::string> params;  // `name=value`
  bool sim = false;
  std::uint16_t sim_port = 8123;
  std::uint16_t sim_smtp_port = 2525;
  std::string mail = "graph";
};
int run_once(const RunOptions& options);
// At the service that the configuration names.
int run_at_service(const RunOptions& options);

struct ConnectorAddOptions {
  std::string file;                  // - is standard input
  std::string output;                // empty: NAME.flow in this folder; - is standard output
  std::string name;                  // empty: from the document's title
  std::vector<std::string> effects;  // `operation=effect`
  std::string report = "text";       // or json
};
int run_connector_add(const ConnectorAddOptions& options);

struct HuntSchemaOptions {
  std::string file;
  std::string output;  // empty: beside the file, named after it; - is standard output
  std::string config, tenant;
  bool sim = false;
  std::uint16_t sim_port = 8123;
  bool is_check = false;  // compares, and writes nothing
};
int run_hunt_schema(const HuntSchemaOptions& options);

struct BacktestOptions {
  std::string file;
  std::string events;         // a file; or, from the tenant:
  std::int64_t since_us = 0;  // so long before now
  std::string answers;        // a file: what reads are answered with
  std::string config;
  std::string tenant;               // when the configuration names several
  std::vector<std::string> params;  // `name=value`
  bool sim = false;
  std::uint16_t sim_port = 8123;
  bool json = false;
};
int run_backtest(const BacktestOptions& options);

// `flow config check`.
int run_config_check(const std::string& file);

struct DoctorOptions {
  std::vector<std::string> files;  // none: what is deployed
  std::string config, tenant;
  bool sim = false;
  std::uint16_t sim_port = 8123, sim_smtp_port = 2525;
  bool json = false;
  bool is_script = false;  // print only the commands that grant what is missing
};
int run_doctor(const DoctorOptions& options);

struct LoginOptions {
  std::string config, tenant;
};
int run_login(const LoginOptions& options);

struct ServeOptions {
  std::vector<std::string> files;
  std::string config;
  bool sim = false;
  std::uint16_t sim_port = 8123;
  std::uint16_t sim_smtp_port = 2525;
  std::string mail = "graph";
  std::string store;               // instead of the configuration's
  std::int64_t poll_every_us = 0;  // instead of the configuration's; 0: that one
  std::int64_t look_back_us = 0;   // the same
  bool quiet = false;
  std::uint64_t crash_at_append = 0;  // tests only
};
int run_serve(const ServeOptions& options);

struct DeployOptions {
  std::vector<std::string> files;  // or one of these, with a flow:
  std::string back, withdraw, end_shadow;
  bool shadow = false;
  std::string config, store;  // the store counts more than what the configuration says
  std::string tenant;         // empty: all
  std::string by;
};
int run_deploy(const DeployOptions& options);

struct ReloadOptions {
  std::string config, by;
  bool json = false;
};
int run_reload(const ReloadOptions& options);

struct DeploymentsCommandOptions {
  bool compares = false;
  std::string config, store;
  std::string tenant, flow;  // empty: all
  bool all = false;          // each change, not only what is so now
  bool json = false;
};
int run_deployments(const DeploymentsCommandOptions& options);

struct RunsOptions {
  std::string store = "flow.db";
  std::string id;    // show
  std::string flow;  // filters of list
  std::string state;
  std::string tenant;
  std::string alert, machine;
  std::string since, until;  // moments, as parse_moment() takes them
  std::string before;        // the ID behind which the list goes on
  std::uint32_t limit = 50;
  bool json = false;
};
int run_runs_list(const RunsOptions& options);
int run_runs_show(const RunsOptions& options);

// Resuming, cancelling, retrying.
struct ControlOptions {
  std::string store;   // instead of the configuration's
  std::string config;  // of the service, when one runs on the store
  ControlRequest::What what = ControlRequest::What::Resume;
  std::string id;             // or, to resume and retry:
  bool failed = false;        // all that failed, of
  std::string flow, tenant;   // these (empty: any),
  std::int64_t since_us = 0;  // begun within that time
  std::string by, reason;     // for the journal
  std::string happened;       // resume: the result of the call in doubt, JSON; empty: not said
  bool did_not_happen = false;
};
int run_runs_control(const ControlOptions& options);

struct WhyOptions {
  std::string store;   // instead of the configuration's
  std::string config;  // by which what the store has not is asked of the tenant
  std::string alert;   // its ID; or
  std::string run;
  std::string event;   // a file with the alert
  std::string source;  // the flows' file, for the text of the condition
  std::string tenant, flow;
  bool json = false;
};
int run_why(const WhyOptions& options);

struct QuestionsOptions {
  std::string store;   // instead of the configuration's
  std::string config;  // of the service, when one runs on the store
  std::string tenant;  // list
  bool all = false;    // list: also those that are closed
  bool json = false;
  std::string id;      // answer
  std::string answer;  // the same: one of the options
  std::string by;      // the same: who says so
};
int run_questions_list(const QuestionsOptions& options);
int run_questions_answer(const QuestionsOptions& options);

struct AuditOptions {
  std::string store = "flow.db";
  std::string since, until;  // export: moments, as parse_moment() takes them
  std::string tenant, flow, run, machine;
  bool json = false;
  std::string head;  // verify: a hash that was kept elsewhere
};
int run_audit_export(const AuditOptions& options);
int run_audit_verify(const AuditOptions& options);

struct StoreOptions {
  std::string store = "flow.db";
  std::string to;  // backup
};
int run_store_check(const StoreOptions& options);
int run_store_backup(const StoreOptions& options);
int run_store_migrate(const StoreOptions& options);

struct TraceCommandOptions {
  std::string store = "flow.db";
  std::string id;
  std::string source;  // the `.flow` file that the run's module was made from
  std::uint64_t from = 1;
  std::uint64_t to = 0;  // 0: the end
  bool by_instruction = false;
  bool backwards = false;
  bool step = false;
  bool json = false;
};
int run_trace(const TraceCommandOptions& options);

struct DemoOptions {
  std::vector<std::string> files;
  std::uint32_t alerts = 60;
  std::uint32_t seconds = 60;
  std::uint64_t seed = 1;
  std::string mail = "graph";
};
int run_demo(const DemoOptions& options);

}  // namespace flow
