#include "vm/bytecode/module.hpp"

namespace flow {

std::optional<std::uint32_t> Module::operation(std::string_view connector, std::string_view name) const {
  for (std::uint32_t i = 0; i < operations.size(); ++i)
    if (operations[i].connector == connector && operations[i].name == name) return i;
  return std::nullopt;
}

const Setting* Module::setting(std::string_view name) const {
  for (const Setting& setting : settings)
    if (setting.name == name) return &setting;
  return nullptr;
}

}  // namespace flow
