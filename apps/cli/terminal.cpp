#include "apps/cli/terminal.hpp"

#include <unistd.h>

#include <sys/stat.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "apps/cli/exit_code.hpp"

namespace flow {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

tl::unexpected<Error> cannot(const char* what, const std::string& path) {
  return error(std::string("cannot ") + what + " `" + path + "`: " + std::strerror(errno));
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const File file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
  if (!file) return cannot("open", path);
  struct stat status {};
  if (path != "-" && fstat(fileno(file.get()), &status) == 0 && S_ISDIR(status.st_mode))
    return error("`" + path + "` is a folder, not a file");
  std::string text;
  char buffer[65536];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;) {
    text.append(buffer, got);
    if (text.size() > limit)
      return error("`" + path + "` is larger than " + std::to_string(limit >> 20) + " MiB");
  }
  if (std::ferror(file.get()) != 0) return cannot("read", path);
  return text;
}

Status write_file(const std::string& path, const std::string& bytes) {
  struct stat status {};
  const bool is_there = stat(path.c_str(), &status) == 0;
  if (is_there && S_ISDIR(status.st_mode)) return error("`" + path + "` is a folder; name a file in it");
  // A device or a pipe is written to, never put aside for a file.
  if (is_there && !S_ISREG(status.st_mode)) {
    const File file(std::fopen(path.c_str(), "wb"));
    const bool is_written = file && std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() &&
                            std::fflush(file.get()) == 0;
    return is_written ? Status() : cannot("write", path);
  }
  const std::string beside = path + ".new";
  {
    const File file(std::fopen(beside.c_str(), "wb"));
    if (!file) return cannot("write", path);
    const bool is_written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() &&
                            std::fflush(file.get()) == 0;
    if (!is_written || fsync(fileno(file.get())) != 0) {
      auto problem = cannot("write", path);
      std::remove(beside.c_str());
      return problem;
    }
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) return cannot("write", path);
  return {};
}

bool wants_colours(int descriptor) {
  const char* const terminal = std::getenv("TERM");
  return isatty(descriptor) != 0 && std::getenv("NO_COLOR") == nullptr &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

void say(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

int when_written(int code) {
  errno = 0;
  const bool is_flushed = std::fflush(stdout) == 0;
  const int problem = errno;
  if ((is_flushed && std::ferror(stdout) == 0) || problem == EPIPE) return code;
  complain(problem == 0 ? std::string("cannot write the output")
                        : std::string("cannot write the output: ") + std::strerror(problem));
  return code == kSuccess ? kWorldWrong : code;
}

void complain(const std::string& message) {
  const char* const colour = wants_colours(STDERR_FILENO) ? "\x1b[1;31merror\x1b[0m" : "error";
  std::fprintf(stderr, "flow: %s: %s\n", colour, message.c_str());
}

}  // namespace flow
