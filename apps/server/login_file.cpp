#include "apps/server/login_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace flow {
namespace {

Status write_all(int file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::write(file, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return error(std::strerror(errno));
    done += static_cast<std::size_t>(wrote);
  }
  if (::fsync(file) != 0) return error(std::strerror(errno));
  return {};
}

}  // namespace

Status save_login(const std::string& file, const std::string& refresh_token) {
  const std::string beside = fmt::format("{}.{}", file, ::getpid());
  ::unlink(beside.c_str());
  const int out = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (out < 0) return error(fmt::format("cannot write `{}`: {}", file, std::strerror(errno)));
  const Status written = write_all(out, refresh_token + "\n");
  ::close(out);
  if (written && ::rename(beside.c_str(), file.c_str()) == 0) return {};
  const std::string why = written ? std::strerror(errno) : written.error().message;
  ::unlink(beside.c_str());
  return error(fmt::format("cannot write `{}`: {}", file, why));
}

SecretProvider login_from_file(std::string file) {
  return [file = std::move(file)]() -> Result<std::string> {
    struct stat about {};
    if (::stat(file.c_str(), &about) != 0)
      return error(fmt::format("nobody has signed in: `{}` is not there; `flow login` writes it", file));
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
      return error(fmt::format("`{}` can be read by others; `chmod 600` it, or sign in again", file));
    std::ifstream in(file);
    std::string token;
    if (!in || !std::getline(in, token) || token.empty())
      return error(fmt::format("`{}` holds no sign-in; `flow login` writes it", file));
    return token;
  };
}

}  // namespace flow
