#include "vm/bytecode/summary.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/mail_digest.hpp"
#include "vm/bytecode/item_at.hpp"
#include "vm/bytecode/permissions.hpp"

namespace flow {
namespace {

std::string host_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::string rest = url.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/?"));
}

bool is_egress(const Operation& operation) {
  return std::ranges::any_of(operation.routes,
                             [](const Route& route) { return route.protocol == Protocol::Egress; });
}

class Summary {
 public:
  Summary(const Module& module, const FlowCode& flow) : module_(module), flow_(flow) {}

  FlowSummary run() {
    const Manifest& manifest = flow_.manifest;
    out_.name = flow_.name;
    out_.poll_filter = manifest.poll_filter;
    out_.poll_expand = manifest.poll_expand;
    const Policies& policies = flow_.policies;
    out_.behaviour = behaviour_of(module_, flow_);
    out_.guardrails = guardrails_of(module_, policies, out_.behaviour);
    out_.is_guarded =
        policies.has_once || policies.has_protect || !policies.limits.empty() || policies.within_us > 0;
    out_.settings = setting_texts(module_);
    out_.subject = "runs";
    for (const ManifestRead& read : manifest.reads)
      for (const std::string& field : read.fields) out_.reads.push_back(read.entity + "." + field);
    for (const ManifestCall& call : manifest.calls) add_call(call);
    for (const Policies::Limit& limit : policies.limits)
      if (limit.otherwise == Policies::Limit::Otherwise::Ask) need("mail", "mail");
    for (const ManifestRecipients& recipients : manifest.recipients) {
      const Operation* const operation = at(module_.operations, recipients.operation);
      if (operation != nullptr && is_egress(*operation)) {
        for (const std::string& url : recipients.constants) hosts_.insert(host_of(url));
        if (!recipients.computed.empty()) hosts_.insert("any host the egress list allows");
        continue;
      }
      out_.recipients.push_back({.operation = operation == nullptr ? "?" : operation->name,
                                 .parameter = recipients.parameter,
                                 .constants = recipients.constants,
                                 .computed = recipients.computed});
    }
    for (const ManifestFlow& run : manifest.flows) {
      const FlowCode* const flow = at(module_.flows, run.flow);
      out_.flows.push_back((run.is_started ? "starts " : "calls ") + (flow == nullptr ? "?" : flow->name));
    }
    if (const Trigger* const trigger = at(module_.triggers, flow_.trigger)) {
      out_.trigger = trigger_text(*trigger);
      // It runs when something was leased or a digest was begun, no more often.
      if (is_made_by_compiler(*trigger)) out_.is_guarded = true;
      if (!trigger->entities.empty()) out_.subject = trigger->entities[0].name + "s";
      need(trigger->connector, trigger->operation);
    }
    for (auto& [connector, demands] : demands_)
      if (std::vector<std::string> least = least_permissions(std::move(demands)); !least.empty())
        out_.permissions.emplace_back(connector, std::move(least));
    out_.hosts.assign(hosts_.begin(), hosts_.end());
    for (const std::string& host : chosen_hosts_)
      if (!hosts_.contains(host)) out_.configured_hosts.push_back(host);
    for (auto& [group, quota] : quotas_) out_.quotas.push_back(std::move(quota));
    return std::move(out_);
  }

 private:
  void add_call(const ManifestCall& call) {
    const Operation* const operation = at(module_.operations, call.operation);
    CallSummary summary{.operation = "operation " + std::to_string(call.operation),
                        .at_most = call.at_most,
                        .requests = 1,
                        .is_fetch = call.is_fetch,
                        .line = call.line,
                        .loop_line = call.loop_line,
                        .inverse = {},
                        .retires = {},
                        .replacement = {}};
    if (operation != nullptr) {
      summary.operation = operation->full_name();
      summary.effect = operation->effect;
      for (const Route& route : operation->routes)
        summary.requests = std::max(summary.requests, route.pages.limit);
      summary.inverse = operation->inverse;
      summary.retires = operation->retires;
      summary.replacement = operation->replacement;
      need(*operation);
      if (asks_people(*operation) || is_digest(*operation)) need("mail", "mail");
      load(*operation, call.at_most);
    }
    out_.calls.push_back(std::move(summary));
  }

  void need(const std::string& connector, const std::string& name, bool is_choice = false) {
    if (const auto index = module_.operation(connector, name)) need(module_.operations[*index], is_choice);
  }

  // What a call of it may lead to: itself by each of its routes, polling for its end alone or with others,
  // looking it up after a crash. `is_choice`: only when the configuration chooses another route than the
  // first.
  void need(const Operation& operation, bool is_choice = false) {
    if (!seen_.insert({&operation, is_choice}).second) return;
    for (const Route& route : operation.routes) {
      const Connector* const connector = at(module_.connectors, route.connector);
      const bool is_first = &route == &operation.routes.front();
      const bool is_chosen = is_choice || !is_first;
      // Another way through the same API is one that somebody chooses, with what more it needs.
      const bool is_other_way = !is_first && route.connector == operation.routes.front().connector;
      if (connector != nullptr && !is_other_way) {
        demands_[connector->name].push_back(route.permissions);
        if (!connector->base.empty()) reach(host_of(connector->base), is_chosen);
      }
      if (route.protocol == Protocol::Smtp) reach("the mail server", is_chosen);
      if (route.crash && route.crash->kind == CrashRule::Kind::Lookup)
        need(operation.connector, route.crash->operation, is_chosen);
    }
    if (!operation.completes) return;
    const auto poll = module_.operation(operation.connector, operation.completes->operation);
    if (!poll) return;
    const Operation& one = module_.operations[*poll];
    need(one, is_choice);
    if (one.several) need(one.connector, one.several->operation, is_choice);
  }

  void reach(const std::string& host, bool is_choice) { (is_choice ? chosen_hosts_ : hosts_).insert(host); }

  // The configuration chooses one route; what they share is counted once.
  void load(const Operation& operation, std::uint32_t times) {
    std::set<std::string> counted;
    for (const Route& route : operation.routes) {
      const Quota& quota = route.quota;
      if (times == 0 || (quota.per_minute == 0 && quota.per_hour == 0)) continue;
      if (!counted.insert(quota.group).second) continue;
      QuotaSummary& sum = quotas_[quota.group];
      sum.group = quota.group;
      sum.per_minute = quota.per_minute;
      sum.per_hour = quota.per_hour;
      const std::uint64_t calls = std::uint64_t{sum.calls} + std::uint64_t{times} * route.pages.limit;
      sum.calls = static_cast<std::uint32_t>(std::min<std::uint64_t>(calls, kAnyNumber));
    }
  }

  const Module& module_;
  const FlowCode& flow_;
  FlowSummary out_;
  std::set<std::pair<const Operation*, bool>> seen_;
  std::map<std::string, std::vector<std::vector<std::string>>> demands_;
  std::set<std::string> hosts_, chosen_hosts_;
  std::map<std::string, QuotaSummary> quotas_;
};

}  // namespace

std::optional<std::uint32_t> QuotaSummary::runs_per_hour() const {
  if (calls == kAnyNumber || calls == 0) return std::nullopt;
  std::uint64_t most = per_minute == 0 ? UINT64_MAX : std::uint64_t{per_minute} * 60;
  if (per_hour != 0) most = std::min<std::uint64_t>(most, per_hour);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(most / calls, kAnyNumber));
}

std::vector<std::string> FlowSummary::shown_hosts() const {
  std::vector<std::string> shown = hosts;
  for (const std::string& host : configured_hosts) shown.push_back(host + " (if configured)");
  return shown;
}

bool FlowSummary::acts() const {
  return std::ranges::any_of(calls, [](const CallSummary& call) { return call.effect == Effect::Act; });
}

const QuotaSummary* FlowSummary::scarcest() const {
  const QuotaSummary* found = nullptr;
  for (const QuotaSummary& quota : quotas) {
    const bool is_scarcer = found == nullptr || !quota.runs_per_hour() ||
                            (found->runs_per_hour() && *quota.runs_per_hour() < *found->runs_per_hour());
    if (is_scarcer && (found == nullptr || found->runs_per_hour())) found = &quota;
  }
  return found;
}

std::vector<FlowSummary> summarise(const Module& module) {
  std::vector<FlowSummary> all;
  for (const FlowCode& flow : module.flows) all.push_back(Summary(module, flow).run());
  return all;
}

bool asks_people(const Operation& operation) {
  return operation.connector == "flow" && (operation.name == "approve" || operation.name == "ask");
}

}  // namespace flow
