// What the pretend tenant's mail services share: the mailboxes of Graph with their drafts, Gmail, and Azure
// Communication Services. What they were sent is at GET /sim/mails; SMTP is in smtp_session.hpp.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "apps/sim/control.hpp"
#include "apps/sim/state.hpp"

namespace flow::sim {

inline constexpr std::size_t kMostDrafts = 10'000;  // more are refused
inline constexpr std::size_t kMostUploads = 1'000;  // under way; the oldest goes

// A message in a mailbox that was not sent yet.
struct Draft {
  std::string mailbox;             // lower case
  Json message;                    // as it was given, and the attachments that came later
  Json stored;                     // as GET …/messages shows it
  bool has_immutable_id = false;   // the id stays when the message moves to Sent Items
  std::size_t attached_bytes = 0;  // by uploads
};

// A large attachment on its way.
struct AttachmentUpload {
  std::string draft, name, content_type;
  std::int64_t size = 0, received = 0, expires_us = 0;
};

// A mail that Azure Communication Services has accepted.
struct MailOperation {
  std::string id;
  std::int64_t ends_us = 0;
  std::string status = "Running";  // as it is shown
  std::string outcome;             // what it becomes
  Json error;
  Json mail;  // as GET /sim/mails will show it
};

// How the next mails of Azure Communication Services end, asked for with POST /sim/acs.
struct MailOutcome {
  std::string status, code, message;
  double seconds = -1;  // below 0: as long as machine actions take
  std::int64_t times = 1;
};

struct MailDoubles {
  std::map<std::string, Draft> drafts;  // by id
  std::map<std::string, AttachmentUpload> uploads;
  std::deque<std::string> upload_order;
  std::set<std::string> gmail_aliases;  // senders that Gmail leaves as they are, beside the user
  std::deque<MailOperation> operations;
  std::deque<MailOutcome> outcomes;
};

MailDoubles& mail_doubles(State& state);

// model_graph.cpp
bool is_mailbox(std::string_view id);
// Graph's refusal of a message. A draft may be without recipients.
std::optional<HttpAnswer> refused_message(State& state, const Json& message, bool is_draft);
// The message as GET …/messages shows it once it is sent.
Json stored_message(State& state, const std::string& mailbox, const Json& message);
// … and as GET /sim/mails does.
Json shown_mail(State& state, const std::string& mailbox, const Json& message, const Json& stored);
HttpAnswer accepted_mail(State& state);  // 202

// double_drafts.cpp, double_gmail.cpp, double_acs.cpp
std::span<const SimOperation> draft_operations();
std::span<const SimOperation> gmail_operations();
std::span<const SimOperation> acs_operations();
HttpAnswer google_token(State& state, const Call& call);
void advance_mail_operations(State& state);
std::span<const ControlPage> mail_pages();

}  // namespace flow::sim
