// Who is outside: the tenant's alerts, clients, people who answer, and new versions of flows.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "runtime/json_text.hpp"
#include "simulated_world.hpp"

namespace flow::test {

void Simulation::add_alert() {
  std::vector<const SimulatedFlow*> wanting;
  for (const SimulatedFlow* flow : flows_)
    if (flow->start == SimulatedFlow::Start::Alert) wanting.push_back(flow);
  const bool is_for_nobody = wanting.empty() || one_in(5);
  const SimulatedFlow* const flow = is_for_nobody ? nullptr : wanting[any(wanting.size())];
  const std::string id = fmt::format("da{}", alerts_++);
  const std::uint64_t machine = flow != nullptr && flow->is_on_few_machines ? any(3) : 100 + alerts_;
  const std::string title = flow == nullptr ? "of no interest" : flow->name;
  const std::int64_t ago_us = one_in(4) ? any_us(kMinute) : 0;
  for (int times = one_in(10) ? 2 : 1; times > 0; --times)  // the service may list it twice
    tenant_.add_alert(id, title, fmt::format("{:040x}", machine), ago_us);
  ++counts_.events;
  if (flow != nullptr) expected_.events.emplace(flow->name, id);
}

void Simulation::ask(const std::shared_ptr<Client>& client) {
  if (is_resting_ && client->is_told) return;
  at(tenant_.now_us() + 5 * kMinute, [this, client] {
    if (!client->is_told) ask(client);
  });
  if (!runtime_) return;
  ++counts_.requests;
  StartRequest request{.by = client->by,
                       .tenant = kTenant,
                       .name = client->flow,
                       .event = client->event,
                       .written = {},
                       .key = client->key};
  runtime_->start(std::move(request), [this, client](const StartAnswer& answer) {
    using How = StartAnswer::How;
    if (disk_.is_down() || answer.how == How::Stopping || answer.how == How::Busy) return;
    if (answer.how == How::NotFound || answer.how == How::Refused)
      return problems_.push_back(fmt::format("request `{}` was refused: {}", client->key, answer.problem));
    client->is_told = true;
    promises_.runs[client->key] = answer.run;
    expected_.events.emplace(client->flow, client->key);
  });
}

// Somebody got a mail with a question: most answer, some days later, and some never do.
void Simulation::answer_later(const Deed& deed) {
  const std::size_t slash = deed.key.find('/');
  if (deed.key.find('-') > slash || one_in(6)) return;
  const std::string question = deed.key.substr(0, slash);
  const std::string by = json_string(json_member(deed.arguments, "to").value_or("")).value_or("");
  const std::string preferred = one_in(3) ? kRefuse : kApprove;
  at(tenant_.now_us() + any_us(one_in(2) ? 5 * kMinute : 4 * kHour),
     [this, question, by, preferred] { answer(question, by, preferred); });
}

void Simulation::answer(const std::string& question, const std::string& by, const std::string& preferred) {
  const auto again = [this, question, by, preferred] {
    if (!is_over())
      at(tenant_.now_us() + kMinute, [this, question, by, preferred] { answer(question, by, preferred); });
  };
  if (!runtime_) return again();
  const auto row = store_->question(question);
  if (!row || !*row) return row ? void() : again();
  const std::vector<std::string>& options = (*row)->options;
  if (options.empty()) return;
  const bool is_choice = std::ranges::find(options, preferred) == options.end();
  const std::string said = is_choice ? options[any(options.size())] : preferred;
  const std::string person = by.empty() ? (*row)->people.front() : by;
  runtime_->answer({.question = question, .answer = said, .by = person, .via = "link"},
                   [this, question, said, again](const AnswerReply& reply) {
                     if (disk_.is_down()) return;
                     if (reply.how == AnswerReply::How::Stopping) return again();
                     if (reply.how != AnswerReply::How::Recorded) return;
                     ++counts_.answers;
                     promises_.answers[question] = said;
                     say("{} is answered by {}", question, said);
                   });
}

void Simulation::send_messages() {
  if (!runtime_) return;
  const auto open =
      store_->list_questions({.tenant = {}, .run = {}, .state = QuestionRow::State::Open, .before_id = {}});
  if (!open) return;
  for (const QuestionRow& question : *open) {
    if (question.kind != QuestionRow::Kind::Receive || one_in(2)) continue;
    const std::string key = fmt::format("m{}", any(3));
    runtime_->send({.run = question.run,
                    .name = question.subject,
                    .payload = R"({"well":true})",
                    .key = key,
                    .from = "client"},
                   [this, run = question.run, key](const MessageReply& reply) {
                     if (disk_.is_down()) return;
                     if (reply.how != MessageReply::How::Kept && reply.how != MessageReply::How::Known)
                       return;
                     ++counts_.messages;
                     promises_.messages.emplace(run, key);
                   });
  }
}

DeployRequest Simulation::deploy_request(const SimulatedFlow& flow, DeployRequest::What what) {
  const bool is_shadow = what == DeployRequest::What::Shadow;
  const std::size_t version = is_shadow ? 1 - versions_[flow.name] : versions_[flow.name];
  return {.what = what,
          .tenant = kTenant,
          .module = flow.bytes[version],
          .file = flow.name,
          .flow = flow.name,
          .by = "sim"};
}

// The other version, a shadow of it, the end of that, or back to what was live before. What is asked for may
// be refused, as back from the only version there was; a version that is deployed is not.
void Simulation::deploy_next() {
  using What = DeployRequest::What;
  const SimulatedFlow& flow = *flows_[any(flows_.size())];
  constexpr What kWhats[] = {What::Live,   What::Live,   What::Live,     What::Back,
                             What::Shadow, What::Shadow, What::EndShadow};
  const What what = kWhats[any(std::size(kWhats))];
  if (what == What::Live) versions_[flow.name] = 1 - versions_[flow.name];
  if (!runtime_) return;
  ++counts_.deploys;
  say("{} is deployed in version {} ({})", flow.name, versions_[flow.name] + 1, static_cast<int>(what));
  runtime_->change_deployment(deploy_request(flow, what), [this, what, &flow](const DeployReply& reply) {
    if (what == What::Live && reply.how == DeployReply::How::Refused)
      problems_.push_back(fmt::format("{} cannot be deployed: {}", flow.name, reply.problem));
  });
}

}  // namespace flow::test
