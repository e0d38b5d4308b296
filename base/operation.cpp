#include "base/operation.hpp"

namespace flow {

std::string_view effect_name(Effect effect) {
  switch (effect) {
    case Effect::Read: return "read";
    case Effect::Act: return "act";
    case Effect::Notify: return "notify";
  }
  return "?";
}

}  // namespace flow
