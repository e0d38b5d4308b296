// Names to addresses, in threads of its own and with a small cache, so that one slow name delays nobody else.
// The system's resolver cannot be interrupted: a caller whose deadline passes leaves, and the lookup ends
// when it ends.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace flow {

// Blocks until the name is resolved; numeric addresses, preferred first, or none. May be called from any
// thread.
using ResolveHost = std::function<std::vector<std::string>(const std::string& host)>;
std::vector<std::string> resolve_by_system(const std::string& host);

class Resolver {
 public:
  Resolver(ResolveHost resolve, std::int64_t cache_us);
  ~Resolver();  // does not wait for lookups under way; their callers are not called any more
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Calls `done` once: at once from the cache, else from a thread of this object. No address means no such
  // name, or too many lookups under way. Equal names that are asked for together are looked up once.
  void resolve(const std::string& host, std::function<void(std::vector<std::string>)> done);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // threads that are stuck in a lookup keep it alive
};

}  // namespace flow
