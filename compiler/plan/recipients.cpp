#include "compiler/plan/recipients.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

void add_once(std::vector<std::string>& to, std::string text) {
  if (std::ranges::find(to, text) == to.end()) to.push_back(std::move(text));
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string line = printable(text.substr(0, std::min(text.size(), kLongest + 4)));
  if (text.size() <= kLongest) return line;
  std::size_t cut = std::min(line.size(), kLongest);
  while (cut > 0 && cut < line.size() && (line[cut] & '\xc0') == '\x80') --cut;
  return line.substr(0, cut) + "…";
}

}  // namespace

void Recipients::note_let(NodeId let) {
  const auto kids = tree_.kids(let);
  const Meaning& name = checked_.meaning[kids[0]];
  if (name.kind == Meaning::Kind::Local && !body_.locals[name.index].is_var)
    given_.insert_or_assign(name.index, kids.back());
}

void Recipients::note_call(const CheckedCall& call, bool is_in_function) {
  follows_ = !is_in_function;
  followed_.clear();
  const Operation& operation = library_.operations[call.operation];
  if (operation.routes[0].protocol == Protocol::Egress) return note_address(call, operation);
  if (operation.effect != Effect::Notify) return;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (call.arguments[i] == kNoNode || !takes_address(operation.parameters[i].type)) continue;
    collect(call.arguments[i], of(call.operation, operation.parameters[i].name));
  }
}

// Of an address what stands in the text to the end of its host suffices: nothing behind it leads elsewhere.
void Recipients::note_address(const CheckedCall& call, const Operation& operation) {
  const auto url = std::ranges::find(operation.parameters, "url", &Parameter::name);
  const auto place = static_cast<std::size_t>(url - operation.parameters.begin());
  if (place >= call.arguments.size() || call.arguments[place] == kNoNode) return;
  is_address_ = true;
  collect(call.arguments[place], of(call.operation, "url"));
  is_address_ = false;
}

PlannedRecipients& Recipients::of(std::uint32_t operation, const std::string& parameter) {
  const auto known = std::ranges::find_if(found_, [&](const PlannedRecipients& r) {
    return r.operation == operation && r.parameter == parameter;
  });
  if (known != found_.end()) return *known;
  return found_.emplace_back(
      PlannedRecipients{.operation = operation, .parameter = parameter, .constants = {}, .computed = {}});
}

void Recipients::note_all(const std::vector<PlannedRecipients>& others) {
  const auto add_all = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
    to.reserve(to.size() + from.size());  // before `known` refers to them
    std::set<std::string_view> known(to.begin(), to.end());
    for (const std::string& text : from)
      if (!known.contains(text)) to.push_back(text);
  };
  for (const PlannedRecipients& other : others) {
    PlannedRecipients& own = of(other.operation, other.parameter);
    add_all(own.constants, other.constants);
    add_all(own.computed, other.computed);
  }
}

bool Recipients::takes_address(TypeId type) const {
  const Type& t = checked_.types[type];
  if (type == kEmailType) return true;
  if (t.kind == TypeKind::Optional || t.kind == TypeKind::List) return takes_address(t.element);
  if (t.kind != TypeKind::Union) return false;
  return std::ranges::any_of(checked_.types.members(type), [&](TypeId m) { return takes_address(m); });
}

void Recipients::collect(NodeId node, PlannedRecipients& into) {
  Diagnostics told;  // by the checker
  const auto kids = tree_.kids(node);
  switch (tree_.kind(node)) {
    case NodeKind::Null: return;
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::RawText:
      if (has_holes(tree_, node)) {
        if (!is_address_ || tree_.kind(kids[0]) != NodeKind::TextPiece) break;
        const std::string_view begin = tree_.text(kids[0]);
        const std::size_t scheme = begin.find("://");
        if (scheme == std::string_view::npos) break;
        const std::size_t end = begin.find_first_of("/?", scheme + 3);
        if (end == std::string_view::npos) break;
        return add_once(into.constants, std::string(begin.substr(0, end)) + "/");
      }
      return add_once(into.constants, plain_text(tree_, node, told));
    case NodeKind::Paren: return collect(kids[0], into);
    case NodeKind::IfExpr: return collect(kids[1], into), collect(kids[2], into);
    case NodeKind::List:
    case NodeKind::Coalesce:
      for (const NodeId kid : kids) collect(kid, into);
      return;
    case NodeKind::Record:
      for (const NodeId entry : kids) collect(tree_.kid(entry, 1), into);
      return;
    case NodeKind::Index: {  // an entry of a map that `let` wrote in place
      const Meaning& name = checked_.meaning[kids[0]];
      const auto given =
          name.kind == Meaning::Kind::Local && follows_ ? given_.find(name.index) : given_.end();
      if (given == given_.end() || tree_.kind(given->second) != NodeKind::Record) break;
      return collect(given->second, into);
    }
    case NodeKind::Ident: {
      const Meaning& name = checked_.meaning[node];
      if (name.kind != Meaning::Kind::Local || !follows_) break;
      const auto given = given_.find(name.index);
      if (given == given_.end()) break;
      if (followed_.insert(name.index).second) collect(given->second, into);
      return;
    }
    default: break;
  }
  add_once(into.computed, shortened(tree_.text(node)));
}

}  // namespace flow
