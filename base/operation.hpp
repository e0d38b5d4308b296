// What a flow can call, as data. A connector declaration (stdlib/*/*.flow) is compiled to Connectors,
// Operations and Triggers; a module carries those it uses, so that a stored run needs neither the compiler
// nor today's declarations. The executor (stdlib/executor) turns one Operation plus arguments into one
// exchange. Nothing here does anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/auth.hpp"
#include "base/fault.hpp"
#include "base/type.hpp"

namespace flow {

// A small tree that the executor evaluates against the arguments of a call, to make a path, a query value or
// a body.
struct Template {
  enum class Kind : std::uint8_t {
    Null,
    Bool,     // number != 0
    Int,      // number
    Float,    // real
    Text,     // text
    Param,    // value of parameter `text`; with `names`, of its field by that path
    Item,     // the element of the ForEach around it; with `names`, its field by that path
    Setting,  // configuration of the route's connector: text names the key, as `sender`
    CallKey,  // the call's idempotency key, the same each time this call of this run is made; with `names`
              // {"uuid"} a UUID made of it
    Object,   // names[i]: children[i]; a member whose value is null is left out
    List,     // children
    ForEach,  // children[0] is the list (a single value counts as a list of one), children[1] the element
    Concat,   // children as text, joined; in a path each child that is not Text is percent-encoded; a child
              // between single quotes has its own quotes doubled, as an OData string literal demands
    IsType,   // true when parameter `text` holds a value of type `type` (Html, Kql or String)
    If,       // children: condition, then, else
    // children[0], a text, with its first letter small: as Graph spells the values of its enums
    CamelCase,
    Written,  // children[0] as a text for where it goes, which `text` names: an Escape of base/escape.hpp
    Join,     // children[0], a list, as one text with `text` between its elements; a single value as it is
  };
  Kind kind = Kind::Null;
  std::int64_t number = 0;
  double real = 0;
  std::string text;
  TypeId type = 0;
  std::vector<std::string> names;
  std::vector<Template> children;
};

enum class Effect : std::uint8_t {
  Read,    // safe to repeat
  Act,     // changes the world
  Notify,  // tells people
};
std::string_view effect_name(Effect effect);

struct Parameter {
  std::string name;
  TypeId type = 0;
  std::string default_json;  // JSON text; empty when the argument is required
  std::string doc;
};

// The calls one tenant and app may make; counted per `group`. 0 is no limit.
struct Quota {
  std::string group;
  std::uint32_t per_minute = 0;
  std::uint32_t per_hour = 0;
  std::string by;  // a parameter: each of its values has a quota of its own; empty: one for all
};

// How an error answer is named. The first rule that matches wins; without one, the status decides. A rule for
// a status below 300 is for APIs that answer so and name an error in the body.
struct ErrorRule {
  int status = 0;    // 0 matches every error status
  std::string code;  // the API's code, or text within its message; empty matches all
  FaultKind kind = FaultKind::Unavailable;
  bool is_success = false;  // the answer says that what was wanted is so already: no error at all
};

// What to do about a call of which nobody knows whether it happened (after a crash or a lost answer).
struct CrashRule {
  enum class Kind : std::uint8_t { Repeat, Lookup, Ask };
  Kind kind = Kind::Ask;
  // Lookup: call the read operation `operation` with `arguments` (an Object); the call happened when an
  // element of its list has a `field` (wire name) that contains the call's key; with an empty `field`, when
  // the list has any element. That element is then the call's result.
  std::string operation;
  Template arguments;
  std::string field;
};

// Long-running actions: poll `operation` with `arguments` until the result's `field` is one of
// `final_values`. `arguments` refers to the result by a Param `result`, with the path to its field in
// `names`.
struct Completion {
  std::string operation;
  Template arguments;
  std::string field;
  std::vector<std::string> final_values;
};

// What a read with one parameter gives for one value of it, a list gives for several: `operation` with
// `arguments` (an Object), in which the parameter is the list of the values. An element of that list belongs
// to the value that its `field` (wire name) holds.
struct Several {
  std::string operation;
  Template arguments;
  std::uint32_t at_most = 0;  // values that one call asks for: an address has only so much room
  std::string field;
};

enum class Protocol : std::uint8_t {
  Http,
  Smtp,
  Runtime,  // the runtime answers by itself, as to `wait`: the executor never sees it
  Egress,  // HTTP to the address that the argument `url` names, where the deployment's egress list allows it;
           // what else is sent are the arguments `method`, `auth`, `headers` and `body`
};

// How the body of a request is written.
enum class BodyForm : std::uint8_t {
  Json,
  Form,       // application/x-www-form-urlencoded: `body` is an Object of scalars
  Multipart,  // multipart/form-data: an Object of scalars and files; a file is an Object of `name`, `content`
              // (Bytes)
  Text,       // as `content_type`: the text that `body` is
  Bytes,      // as `content_type`: the bytes of which `body` is the Base64
};

// How a list that comes in pages is put together: the result is all of them. A list that has more pages than
// `limit` is a fault, never a part of it.
struct Paging {
  enum class Kind : std::uint8_t {
    None,
    Link,  // member `name` of an answer is the address of the next page, within the same origin
    Skip,  // query parameter `name` is how many elements to leave out; a page with fewer than `page_size` is
           // the last
  };
  Kind kind = Kind::None;
  std::string name;
  std::uint32_t page_size = 0;
  std::uint32_t limit = 1;  // requests a call makes at most
};

// A second request, which completes what the first one prepared: a draft is written, then it is sent. Its
// path refers to the answer of the first by a Param `result`, with the path to its field in `names`. When
// nobody knows how far the two came, the item that the route's lookup finds stands for the answer of the
// first.
struct FollowUp {
  std::string method;
  Template path;
  std::string when;  // a field of the answer: the request is left out when it is there and not true; or empty
};

// Large parts go beside the request that they belong to: for each item of the parameter `list` above
// `from_bytes`, a session is opened with `path` and `body`, whose answer names, as `uploadUrl`, where its
// bytes go in pieces. They go between the first request and its FollowUp; path and body refer to the first
// one's answer by a Param `result` and to the item by an Item. A call that is taken up again with such items
// makes all anew, after DELETE of `discard`: nobody knows how much of them has arrived.
struct Upload {
  std::string list;
  std::string content;  // the field of an item that holds its bytes
  std::uint64_t from_bytes = 0;
  Template path, body, discard;
};

// A parameter that may only say what the configuration allows: the value of the setting `one` of the route's
// connector, or a word of the setting `many`.
struct AllowRule {
  std::string parameter;
  std::string one, many;
};

// One way to carry an operation out. An operation has one, or several that the configuration chooses from by
// name.
struct Route {
  std::string name;  // empty when there is only one
  std::uint32_t connector =
      0;  // whose address and credential it uses: an index into the owner's `connectors`
  Protocol protocol = Protocol::Http;
  std::string method;                                   // GET POST PATCH PUT DELETE of Http
  Template path;                                        // Concat, beginning with `/`
  std::vector<std::pair<std::string, Template>> query;  // a null value leaves the parameter out
  std::vector<std::pair<std::string, Template>> headers;
  // For Smtp an Object: from to cc bcc replyTo subject text html importance attachments.
  std::optional<Template> body;
  BodyForm body_form = BodyForm::Json;
  std::string content_type;  // of Text and Bytes
  Paging pages;
  // Application permissions, any one of which suffices, least privileged first.
  std::vector<std::string> permissions;
  Quota quota;
  std::vector<ErrorRule> errors;
  std::optional<CrashRule> crash;  // overrides the default of the effect: Read repeats, Act and Notify ask
  // Of Http: the body is an Object as of Smtp, and goes out as the mail that it describes: message/rfc822.
  bool is_mail = false;
  std::uint64_t most_bytes = 0;  // of the request's body or the mail; 0: as many as any request may have
  std::optional<Upload> upload;
  std::optional<FollowUp> then;
  std::vector<AllowRule> allowed;
};

struct Operation {
  std::string connector;  // as `defender`
  std::string name;       // as `isolate`
  Effect effect = Effect::Read;
  std::vector<Parameter> parameters;
  TypeId result = kNothingType;
  // Where in the answer the result stands: empty for the whole body, `value` for OData lists, `value/0` for
  // the first element of one.
  std::string result_member;
  // Where it stands when it is not there: APIs disagree with their documentation.
  std::vector<std::string> result_members_else;
  std::vector<Route> routes;
  std::string targets;  // the parameter that names what is acted on; empty when there is none
  std::string inverse;  // the operation that undoes this one; empty when there is none
  std::optional<Completion> completes;
  std::optional<Several> several;
  std::string doc;
  std::string source;       // the page that documents it
  std::string retires;      // ISO date; empty when none is announced
  std::string replacement;  // the operation that takes its place then, as `graph.hunt`; or empty

  std::string full_name() const { return connector + "." + name; }
};

// An address and a credential.
struct Connector {
  std::string name;
  std::string base;  // `https://api.security.microsoft.com`; configuration may replace it
  Auth auth;
};

// What starts runs. Whatever it is, the event is one JSON object, whose members are the bindings: the element
// of the list that was polled, {"scheduledAt": …}, {"payload": …, "headers": …}, the arguments of a call; of
// a lease, how long it is and what undoes the call needs of its arguments.
struct Trigger {
  enum class Kind : std::uint8_t {
    Poll,       // polls a list operation; times are compared and de-duplicated as the fields below say
    Every,      // interval_us
    Cron,       // cron, zone
    Hunt,       // query, every interval_us
    Webhook,    // a request to the hook `endpoint`
    Manual,     // a person, who gives the arguments
    Call,       // another flow, which gives the arguments and gets a value of `result`
    RunFailed,  // a run of `of_flow` failed
    Stream,     // a record of the stream `endpoint`
    Lease,      // a call of the operation `endpoint` (its full name) that was made with `lease`
    Digest,     // the first of the calls of `endpoint` that one mail gathers
  };
  enum class CatchUp : std::uint8_t { None, Last, All };  // firings that were missed while nobody ran
  Kind kind = Kind::Poll;
  std::string connector;
  std::string name;  // `alert.new`
  std::string
      operation;  // list operation: takes `filter`, `top`, `skip`, perhaps `expand`; connector-local name
  std::string cursor_field;  // wire name of the time that grows: `alertCreationTime`
  std::string key_field;     // wire name of what is unique: `id`
  std::uint32_t page_size = 1000;
  std::int64_t interval_us = 0;  // of Poll, the default time between polls
  std::int64_t overlap_us = 0;   // how far before the cursor each poll reads again
  // Names in scope that the event itself holds.
  struct Binding {
    std::string name;  // `machineId`
    std::string wire;  // member of the event
    TypeId type = 0;
    std::string doc;
    bool has_default = false;  // of an argument: it may be left out
  };
  std::vector<Binding> bindings;
  // Entities in scope. The first is the event itself: its fields are in scope by their own names, and the
  // poll brings it. Each can be fetched by a read operation whose arguments are names of bindings.
  struct Entity {
    std::string name;  // `machine`
    TypeId type = 0;
    std::string operation;                 // connector-local name: `get_machine`
    std::string argument;                  // a binding: `machineId`
    std::vector<std::string> expand_only;  // wire names the poll brings only when asked by `expand`
  };
  std::vector<Entity> entities;
  std::vector<std::string> filterable;  // wire names the poll's `filter` understands (with `eq`)
  std::string doc;

  std::string cron;                  // of Cron: five fields, `0 7 * * MON-FRI`
  std::string zone;                  // of Cron: IANA name, as `Europe/Berlin`; empty for UTC
  CatchUp catch_up = CatchUp::Last;  // of Every, Cron and Hunt
  std::string query;                 // of Hunt, KQL
  bool is_batch = false;             // of Hunt: one event with all `rows`, not one for each `row`
  std::string endpoint;              // name of the webhook or the stream
  std::string of_flow;               // of RunFailed; empty: of any flow
  TypeId result = kNullType;         // of Call
};

std::string_view trigger_kind_name(Trigger::Kind kind);  // as flows write it: `every`, `run.failed`

}  // namespace flow
