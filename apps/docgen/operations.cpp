// operations.md: what flows can call, what starts them, and the types of both, as the declarations say.
#include <fmt/format.h>

#include <algorithm>

#include "apps/docgen/pages.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

using Kind = Template::Kind;

std::string shown(const Template& node);

std::string shown_text(const Template& concat) {
  std::string out;
  for (const Template& child : concat.children)
    out += child.kind == Kind::Text ? child.text : "{" + shown(child) + "}";
  return out;
}

std::string joined(const std::vector<Template>& children) {
  std::string out;
  for (const Template& child : children) out += (out.empty() ? "" : ", ") + shown(child);
  return out;
}

// A template as a declaration writes it.
std::string shown(const Template& node) {
  switch (node.kind) {
    case Kind::Null: return "null";
    case Kind::Bool: return node.number != 0 ? "true" : "false";
    case Kind::Int: return std::to_string(node.number);
    case Kind::Float: return fmt::format("{}", node.real);
    case Kind::Text: return "\"" + node.text + "\"";
    case Kind::Param: return node.text;
    case Kind::Item: return node.text + (node.names.empty() ? "" : "." + node.names[0]);
    case Kind::Written: return fmt::format("{}.written({})", shown(node.children.at(0)), node.text);
    case Kind::Setting: return "config." + node.text;
    case Kind::CallKey: return node.names.empty() ? "key" : "key.uuid";
    case Kind::Concat: return "\"" + shown_text(node) + "\"";
    case Kind::List: return "[" + joined(node.children) + "]";
    case Kind::ForEach:
      return fmt::format("each of {}: {}", shown(node.children.at(0)), shown(node.children.at(1)));
    case Kind::IsType:
      return fmt::format("{} is {}", node.text,
                         node.type == kHtmlType  ? "Html"
                         : node.type == kKqlType ? "Kql"
                                                 : "String");
    case Kind::If:
      return fmt::format("if {} then {} else {}", shown(node.children.at(0)), shown(node.children.at(1)),
                         shown(node.children.at(2)));
    case Kind::Join: return fmt::format("{}.join(\"{}\")", shown(node.children.at(0)), node.text);
    case Kind::CamelCase: return fmt::format("camelCase({})", shown(node.children.at(0)));
    case Kind::Object: break;
  }
  std::string out;
  for (std::size_t i = 0; i < node.children.size(); ++i)
    out += fmt::format("{}{}: {}", i == 0 ? "" : ", ", node.names[i], shown(node.children[i]));
  return "{ " + out + " }";
}

std::string default_text(const Library& library, const Parameter& parameter) {
  const TypeId bare = library.types.without_null(parameter.type);
  const std::string& json = parameter.default_json;
  const bool is_enum_value = library.types.is(bare, TypeKind::Enum) && json.starts_with('"');
  return is_enum_value ? json.substr(1, json.size() - 2) : json;
}

std::string signature(const Library& library, const Operation& operation) {
  std::string parameters;
  for (const Parameter& parameter : operation.parameters) {
    parameters += fmt::format("{}{}: {}", parameters.empty() ? "" : ", ", parameter.name,
                              library.types.name(parameter.type));
    if (!parameter.default_json.empty()) parameters += " = " + default_text(library, parameter);
  }
  std::string out = fmt::format("{}({})", operation.name, parameters);
  if (operation.result != kNothingType) out += " -> " + library.types.name(operation.result);
  return out;
}

std::string request(const Route& route) {
  if (route.protocol == Protocol::Smtp)
    return fmt::format("SMTP, mail `{}`", route.body ? shown(*route.body) : "");
  if (route.protocol == Protocol::Egress) return "what the call says, to where the egress list allows";
  std::string path = route.path.kind == Kind::Text ? route.path.text : shown_text(route.path);
  std::string out = fmt::format("`{} {}`", route.method, path);
  std::string query;
  for (const auto& [name, value] : route.query)
    query += fmt::format("{}`{}`", query.empty() ? "" : ", ", name);
  if (!query.empty()) out += ", query " + query;
  const std::string_view form = route.body_form == BodyForm::Form        ? "form"
                                : route.body_form == BodyForm::Multipart ? "form of parts"
                                                                         : "body";
  if (route.body) out += fmt::format(", {} `{}`", form, shown(*route.body));
  return out;
}

std::string permissions(const Route& route) {
  std::string out;
  for (const std::string& permission : route.permissions)
    out += fmt::format("{}`{}`", out.empty() ? "" : " or ", permission);
  return out.empty() ? "none" : out;
}

std::string quota(const Quota& quota) {
  if (quota.per_minute == 0 && quota.per_hour == 0) return "none declared";
  std::string out;
  if (quota.per_minute != 0) out += fmt::format("{} a minute", quota.per_minute);
  if (quota.per_hour != 0) out += fmt::format("{}{} an hour", out.empty() ? "" : ", ", quota.per_hour);
  return out + fmt::format(" for all of `{}`", quota.group);
}

std::string crash(const Operation& operation, const Route& route) {
  const CrashRule::Kind kind = route.crash                        ? route.crash->kind
                               : operation.effect == Effect::Read ? CrashRule::Kind::Repeat
                                                                  : CrashRule::Kind::Ask;
  if (kind == CrashRule::Kind::Repeat) return "made again";
  if (kind == CrashRule::Kind::Ask) return "the run is parked for a person";
  std::string out =
      fmt::format("looked up by `{}` with `{}`", route.crash->operation, shown(route.crash->arguments));
  out += route.crash->field.empty()
             ? "; it happened when anything is found"
             : fmt::format("; it happened when `{}` holds the call's key", route.crash->field);
  return out;
}

void add_route(std::string& out, const Operation& operation, const Route& route) {
  const std::string prefix = route.name.empty() ? "" : fmt::format("By {}: ", route.name);
  const auto row = [&](const char* what, const std::string& text) {
    out += fmt::format("| {}{} | {} |\n", prefix, what, cell(text));
  };
  row("request", request(route));
  if (route.pages.kind == Paging::Kind::Link)
    row("pages", fmt::format("by `{}`, at most {}", route.pages.name, route.pages.limit));
  if (route.pages.kind == Paging::Kind::Skip)
    row("pages",
        fmt::format("of {} by `{}`, at most {}", route.pages.page_size, route.pages.name, route.pages.limit));
  row("permission", permissions(route));
  row("quota", quota(route.quota));
  row("in doubt after a crash", crash(operation, route));
  std::string errors;
  for (const ErrorRule& rule : route.errors)
    errors += fmt::format("{}{}{} is {}", errors.empty() ? "" : "; ", rule.status,
                          rule.code.empty() ? "" : fmt::format(" \"{}\"", rule.code),
                          rule.is_success ? "no error" : fmt::format("`{}`", fault_name(rule.kind)));
  if (!errors.empty()) row("errors", errors);
}

void add_operation(std::string& out, const Library& library, const Operation& operation) {
  out += fmt::format("\n### {}\n\n    {}\n\n", operation.name, signature(library, operation));
  if (!operation.doc.empty()) out += operation.doc + "\n\n";
  out += fmt::format("| | |\n|---|---|\n| effect | {} |\n", effect_name(operation.effect));
  if (!operation.result_member.empty()) {
    out += fmt::format("| result | member `{}` of the answer", operation.result_member);
    for (const std::string& other : operation.result_members_else)
      out += other.empty() ? ", or all of it" : fmt::format(", or `{}`", other);
    out += " |\n";
  }
  for (const Route& route : operation.routes) add_route(out, operation, route);
  if (!operation.targets.empty()) out += fmt::format("| acts on | `{}` |\n", operation.targets);
  if (!operation.inverse.empty()) out += fmt::format("| undone by | `{}` |\n", operation.inverse);
  if (operation.completes) {
    out += fmt::format("| goes on until | `{}` of `{}` is {} |\n", operation.completes->field,
                       operation.completes->operation, fmt::join(operation.completes->final_values, ", "));
  }
  if (operation.several)
    out += fmt::format("| several at once | up to {} by `{}`, told apart by `{}` |\n",
                       operation.several->at_most, operation.several->operation, operation.several->field);
  if (!operation.retires.empty()) out += fmt::format("| retires | {} |\n", operation.retires);
  if (!operation.source.empty()) out += fmt::format("| documented at | <{}> |\n", operation.source);
}

void add_trigger(std::string& out, const Library& library, const Trigger& trigger) {
  out += fmt::format("\n### {}\n\n", trigger.name);
  if (!trigger.doc.empty()) out += trigger.doc + "\n\n";
  out += fmt::format(
      "Polls `{}` every {}, {} a page, and reads {} before what it has seen again. `{}` tells events apart, "
      "`{}` orders them.\n",
      trigger.operation, format_duration_us(trigger.interval_us), trigger.page_size,
      format_duration_us(trigger.overlap_us), trigger.key_field, trigger.cursor_field);
  out += fmt::format(
      "Conditions on these fields can be decided by the API: {}.\n\n| In scope | Type | From "
      "|\n|---|---|---|\n",
      fmt::join(trigger.filterable, ", "));
  for (const Trigger::Binding& binding : trigger.bindings)
    out += fmt::format("| `{}` | {} | `{}` of the event |\n", binding.name, library.types.name(binding.type),
                       binding.wire);
  for (std::size_t i = 0; i < trigger.entities.size(); ++i) {
    const Trigger::Entity& entity = trigger.entities[i];
    out += fmt::format("| `{}` | {} | {}`{}({})` |\n", entity.name, library.types.name(entity.type),
                       i == 0 ? "the event, or when it lacks a field that is read, " : "", entity.operation,
                       entity.argument);
  }
  const RecordType& event = library.types.record(trigger.entities.front().type);
  out += fmt::format("| each field of `{}` by its own name | | |\n", event.name);
}

void add_type(std::string& out, const Library& library, const std::string& name, TypeId id) {
  if (library.types.is(id, TypeKind::Enum)) {
    const EnumType& type = library.types.enumeration(id);
    out += fmt::format("\n### {}\n\n{}{}Values{}: {}.\n", name, type.doc, type.doc.empty() ? "" : "\n\n",
                       type.is_ordered ? ", lowest first" : "", fmt::join(type.values, ", "));
    return;
  }
  const RecordType& type = library.types.record(id);
  out += fmt::format("\n### {}\n\n{}{}| Field | Type | In the API |\n|---|---|---|\n", name, type.doc,
                     type.doc.empty() ? "" : "\n\n");
  for (const RecordField& field : type.fields)
    out += fmt::format("| `{}` | {} | `{}`{} |\n", field.name, library.types.name(field.type), field.wire,
                       field.also.empty() ? "" : fmt::format(", `{}`", fmt::join(field.also, "`, `")));
}

}  // namespace

namespace {

std::string credential_text(const Auth& auth) {
  switch (auth.kind) {
    case Auth::Kind::None: return {};
    case Auth::Kind::Entra: return fmt::format(", token for `{}`", auth.scope);
    case Auth::Kind::Key:
      return auth.header.empty() ? fmt::format(", key as the parameter `{}`", auth.query)
                                 : fmt::format(", key in the header `{}`", auth.header);
    case Auth::Kind::Basic: return ", user and password";
    case Auth::Kind::Bearer: return ", token from the configuration";
    case Auth::Kind::Hmac:
      return fmt::format(", each request signed with a key, or a token for `{}`", auth.scope);
    case Auth::Kind::OAuth2: return fmt::format(", token by OAuth 2 from `{}`", auth.token);
    case Auth::Kind::Url: return ": the configuration has one, which is the secret";
  }
  return {};
}

}  // namespace

std::string operations_page(const Library& library) {
  std::string out =
      "# Operations, triggers and types\n\n"
      "Made by `flow-docgen docs/generated`; a test compares. Do not edit: change the source named below.\n"
      "Sources: `stdlib/*/*.flow`. The clauses are explained in [connectors](../connectors.md).\n";
  for (const Connector& connector : library.connectors) {
    const auto is_ours = [&](const Operation& operation) { return operation.connector == connector.name; };
    out += fmt::format("\n## Connector {}\n\n", connector.name);
    out += connector.base.empty() ? "No address of its own" : fmt::format("Address `{}`", connector.base);
    out += fmt::format("{}.\n", credential_text(connector.auth));
    if (std::ranges::none_of(library.operations, is_ours))
      out += "No operations of its own: others name it as their route.\n";
    for (const Operation& operation : library.operations)
      if (is_ours(operation)) add_operation(out, library, operation);
  }
  out += "\n## Triggers\n";
  for (const Trigger& trigger : library.triggers) add_trigger(out, library, trigger);
  out += "\n## Types\n";
  for (const auto& [name, id] : library.type_names) add_type(out, library, name, id);
  return out;
}

}  // namespace flow
