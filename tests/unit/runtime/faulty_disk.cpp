#include "faulty_disk.hpp"

#include <sqlite3.h>

#include <cstring>

#include "base/result.hpp"

namespace flow::test {
namespace {

FaultyDisk::Fault fault_now = FaultyDisk::Fault::None;
bool is_read_only = false;
sqlite3_vfs* real_disk = nullptr;
sqlite3_vfs faulty_disk;

// SQLite gives each open file so much memory as szOsFile says: ours first, the real one's behind it.
struct File {
  sqlite3_file base;
};
constexpr int kOurs = (sizeof(File) + 15) / 16 * 16;
sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + kOurs);
}

int on_close(sqlite3_file* file) {
  return real(file)->pMethods->xClose(real(file));
}
int on_read(sqlite3_file* file, void* to, int amount, sqlite3_int64 at) {
  if (fault_now == FaultyDisk::Fault::Read) return SQLITE_IOERR_READ;
  return real(file)->pMethods->xRead(real(file), to, amount, at);
}
int on_write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 at) {
  if (fault_now == FaultyDisk::Fault::Full) return SQLITE_FULL;
  if (fault_now == FaultyDisk::Fault::Write) return SQLITE_IOERR_WRITE;
  return real(file)->pMethods->xWrite(real(file), from, amount, at);
}
int on_truncate(sqlite3_file* file, sqlite3_int64 size) {
  return real(file)->pMethods->xTruncate(real(file), size);
}
int on_sync(sqlite3_file* file, int flags) {
  if (fault_now == FaultyDisk::Fault::Sync) return SQLITE_IOERR_FSYNC;
  return real(file)->pMethods->xSync(real(file), flags);
}
int on_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int on_lock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int on_unlock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int on_check_lock(sqlite3_file* file, int* is_held) {
  return real(file)->pMethods->xCheckReservedLock(real(file), is_held);
}
int on_control(sqlite3_file* file, int what, void* with) {
  return real(file)->pMethods->xFileControl(real(file), what, with);
}
int on_sector(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int on_kind(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
int on_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, at);
}
int on_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void on_shm_barrier(sqlite3_file* file) {
  real(file)->pMethods->xShmBarrier(real(file));
}
int on_shm_unmap(sqlite3_file* file, int is_last) {
  return real(file)->pMethods->xShmUnmap(real(file), is_last);
}

// Without mapped memory (version 3), so that every read passes here.
constexpr sqlite3_io_methods kMethods = {
    2,           on_close,       on_read,       on_write,   on_truncate, on_sync, on_size,
    on_lock,     on_unlock,      on_check_lock, on_control, on_sector,   on_kind, on_shm_map,
    on_shm_lock, on_shm_barrier, on_shm_unmap,  nullptr,    nullptr};

int on_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  file->pMethods = nullptr;
  if (is_read_only && (flags & SQLITE_OPEN_MAIN_DB) != 0)
    flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
  const int code = real_disk->xOpen(real_disk, name, real(file), flags, flags_out);
  if (real(file)->pMethods != nullptr) file->pMethods = &kMethods;
  return code;
}

}  // namespace

FaultyDisk::FaultyDisk() {
  real_disk = sqlite3_vfs_find(nullptr);
  faulty_disk = *real_disk;
  faulty_disk.zName = "faulty";
  faulty_disk.pNext = nullptr;
  faulty_disk.szOsFile = kOurs + real_disk->szOsFile;
  faulty_disk.xOpen = on_open;
  FLOW_CHECK(sqlite3_vfs_register(&faulty_disk, 1) == SQLITE_OK, "SQLite takes another file system");
}

FaultyDisk::~FaultyDisk() {
  fail(Fault::None);
  make_read_only(false);
  sqlite3_vfs_unregister(&faulty_disk);
  sqlite3_vfs_register(real_disk, 1);
}

void FaultyDisk::fail(Fault fault) {
  fault_now = fault;
}

void FaultyDisk::make_read_only(bool is_so) {
  is_read_only = is_so;
}

}  // namespace flow::test
