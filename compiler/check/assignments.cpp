// Assignments: what may change, and what is no longer known then.
#include "base/text.hpp"
#include "compiler/check/checker.hpp"

namespace flow {

void Checker::assign(NodeId node) {
  const NodeId target = tree_.kid(node, 0), value = tree_.kid(node, 1);
  switch (tree_.kind(target)) {
    case NodeKind::Ident: return assign_name(target, value);
    case NodeKind::Index: return assign_entry(target, value);
    case NodeKind::Field:
    case NodeKind::OptionalField:
      if (!is_error(expression(target)))
        report(Code::NotAssignable, target, "a record does not change in place")
            .note("keep what changes in a variable of its own: `var x = …`");
      break;
    default:
      if (!is_error(expression(target)))
        report(Code::NotAssignable, target, fmt::format("{} is no variable", quoted(target)))
            .note(
                "variables are assigned, `x = …`, and entries of maps, `m[key] = …`; to compare write `==`");
  }
  expression(value);
}

void Checker::assign_name(NodeId target, NodeId value) {
  const std::string_view text = tree_.text(target);
  const Meaning meaning = lookup(text);
  if (meaning.kind == Meaning::Kind::None) {
    if (file_->functions.contains(text)) {
      report(Code::NotAssignable, target, fmt::format("`{}` is a function", text));
    } else if (!is_told(text)) {
      std::vector<std::string> variables;
      for (const std::uint32_t local : scope_)
        if (body_->locals[local].is_var && variables.size() < 1'000)
          variables.push_back(body_->locals[local].name);
      Diagnostic& d = report(Code::UnknownName, target, fmt::format("nothing here is called `{}`", text));
      const std::uint32_t begin = tree_.span(target).begin;
      if (const auto near = nearest_name(text, variables))
        d.fix(tree_.span(target), *near, fmt::format("did you mean `{}`?", *near));
      else
        d.fix({begin, begin}, "var ", fmt::format("to declare it write `var {} = …`", text));
    }
    expression(value);
    return;
  }
  if (!is_assignable(target, meaning)) {
    expression(value, expression(target));
    return;
  }
  const TypeId type = body_->locals[meaning.index].type;
  expect(value, type, fmt::format("`{}`", text));
  out_.meaning[target] = meaning;
  out_.type[target] = type;
  assigned_.push_back(meaning.index);
  forget(meaning.index);
}

bool Checker::is_assignable(NodeId ident, const Meaning& meaning) {
  const std::string_view text = tree_.text(ident);
  if (meaning.kind != Meaning::Kind::Local) {
    const bool is_setting = meaning.kind == Meaning::Kind::Setting;
    report(Code::NotAssignable, ident,
           fmt::format("`{}` {} and never changes", text,
                       is_setting ? "is set at deployment" : "comes from the trigger"))
        .note(fmt::format("to work with a value of your own write `var my_{} = {}`", text, text));
    return false;
  }
  const Local& local = body_->locals[meaning.index];
  if (!is_error(local.type) && !is_own(ident, meaning.index)) return false;
  if (local.is_var || is_error(local.type)) return true;
  Diagnostic& d =
      report(Code::NotAssignable, ident,
             fmt::format("`{}` never changes: only what is declared with `var` is assigned", text));
  const Span declared = tree_.span(local.declared);
  d.label(declared, "declared here");
  std::uint32_t end = declared.begin;
  const std::string_view source = tree_.source->text();
  while (end > 0 && (source[end - 1] == ' ' || source[end - 1] == '\n' || source[end - 1] == '\t')) --end;
  if (end >= 3 && source.substr(end - 3, 3) == "let")
    d.fix({end - 3, end}, "var", "declare it with `var`");
  else
    d.note(fmt::format("take a copy that changes, and declare it with `var`: `var my_{} = {}`", text, text));
  return false;
}

// `m[key] = value`
void Checker::assign_entry(NodeId target, NodeId value) {
  const NodeId object = tree_.kid(target, 0), at = tree_.kid(target, 1);
  const bool is_name = tree_.kind(object) == NodeKind::Ident;
  const Meaning meaning = is_name ? lookup(tree_.text(object)) : Meaning{};
  TypeId type = error_type();
  if (meaning.kind == Meaning::Kind::Local) {
    type = body_->locals[meaning.index].type;  // not narrowed: an assignment stores what is declared
    if (is_error(type)) body_->locals[meaning.index].is_used = true;
  } else {
    type = expression(object);
  }
  if (out_.types.is_optional(type)) {
    may_be_null(object, type, "the map that is assigned to");
  } else if (out_.types.is(type, TypeKind::List)) {
    report(Code::NotAssignable, target, "a list does not change in place")
        .note("make a new one: `list + [item]`, `list.map(x => …)`, or `for x, i in list { … yield … }`");
  } else if (!is_error(type) && !out_.types.is(type, TypeKind::Map)) {
    report(Code::NotAssignable, target, fmt::format("a `{}` does not change in place", type_name(type)))
        .note("only maps have entries that are assigned: `m[key] = value`");
  } else if (!is_error(type) && meaning.kind != Meaning::Kind::Local) {
    report(Code::NotAssignable, object, fmt::format("{} is no variable", quoted(object)))
        .note("take a copy that changes: `var copy = …`, then `copy[key] = value`");
  } else if (!is_error(type) && is_assignable(object, meaning)) {
    const TypeId element = out_.types[type].element;
    expect(at, out_.types[type].key, fmt::format("a key of `{}`", tree_.text(object)));
    expect(value, element, fmt::format("a value of `{}`", tree_.text(object)));
    out_.meaning[object] = meaning;
    out_.type[object] = type;
    out_.type[target] = element;
    return;
  }
  lone_argument(at);
  if (!is_loose_name(value)) expression(value);
}

}  // namespace flow
