// Types as written, to TypeIds.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/resolve/library.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// The type that `node` names; unknown names are reported and give the error type. `types` gains what is new.
TypeId resolve_type(const Tree& tree, NodeId node, const std::map<std::string, TypeId, std::less<>>& names,
                    TypeTable& types, Diagnostics& diagnostics);

}  // namespace flow
