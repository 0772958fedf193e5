#include "server/processes/handover.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "kernel/log.h"

namespace courant::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 256;
constexpr std::string_view kTls = "tls ";  // before the address of a socket on which TLS is spoken

// A file that is closed at the end.
class File {
 public:
  explicit File(int file) : file_(file) {}
  ~File() {
    if (file_ >= 0) ::close(file_);
  }
  File(File&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  File& operator=(File&&) = delete;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  operator int() const { return file_; }

 private:
  int file_;
};

std::string folder_of(const std::string& data) {
  return data + "/handover";
}

std::string name_of(pid_t leader, pid_t process) {
  return std::to_string(leader) + "-" + std::to_string(process);
}

// By way of the folder's descriptor: a path may be longer than an address of a Unix socket.
struct UnixAddress {
  File folder;
  sockaddr_un address{};

  UnixAddress(const std::string& data, const std::string& name)
      : folder(::open(folder_of(data).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    address.sun_family = AF_UNIX;
    const std::string path = "/proc/self/fd/" + std::to_string(folder) + "/" + name;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

File connect_to(const std::string& data, const std::string& name) {
  File socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const UnixAddress address(data, name);
  if (::connect(socket, address.get(), sizeof address.address) != 0) return File(-1);
  return socket;
}

struct Message {
  std::array<char, kLongestName> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec piece{text.data(), text.size()};
  msghdr head{};

  Message() {
    head.msg_iov = &piece;
    head.msg_iovlen = 1;
    head.msg_control = control.data();
    head.msg_controllen = control.size();
  }
};

bool send_socket(int to, const http::ListeningSocket& socket) {
  Message message;
  const std::string name = (socket.is_tls ? std::string(kTls) : std::string()) + socket.address;
  message.piece.iov_len = name.copy(message.text.data(), message.text.size());
  cmsghdr* const control = CMSG_FIRSTHDR(&message.head);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(control), &socket.file, sizeof(int));
  return ::sendmsg(to, &message.head, MSG_NOSIGNAL) > 0;
}

// nullopt: there are no more.
std::optional<http::ListeningSocket> receive_socket(int from) {
  Message message;
  const ssize_t length = ::recvmsg(from, &message.head, MSG_CMSG_CLOEXEC);
  const cmsghdr* const control = CMSG_FIRSTHDR(&message.head);
  if (length <= 0 || control == nullptr || control->cmsg_type != SCM_RIGHTS) return std::nullopt;
  const std::string_view name(message.text.data(), static_cast<std::size_t>(length));
  http::ListeningSocket socket;
  socket.is_tls = name.starts_with(kTls);
  socket.address = name.substr(socket.is_tls ? kTls.size() : 0);
  std::memcpy(&socket.file, CMSG_DATA(control), sizeof(int));
  return socket;
}

}  // namespace

struct SocketOffer::State {
  std::string data;
  std::string name;
  std::vector<http::ListeningSocket> sockets;  // copies
  File offered{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
  File ending{::eventfd(0, EFD_CLOEXEC)};
  std::thread thread;

  ~State() {
    for (const http::ListeningSocket& socket : sockets) ::close(socket.file);
  }

  void run() {
    std::array<pollfd, 2> waited = {pollfd{offered, POLLIN, 0}, pollfd{ending, POLLIN, 0}};
    for (;;) {
      if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return;
      if (waited[1].revents != 0) return;
      if (waited[0].revents == 0) continue;
      const File successor(::accept4(offered, nullptr, nullptr, SOCK_CLOEXEC));
      for (const http::ListeningSocket& socket : sockets) {
        if (successor < 0 || !send_socket(successor, socket)) break;
      }
    }
  }
};

SocketOffer::SocketOffer(std::unique_ptr<State> state) : state_(std::move(state)) {}

SocketOffer::~SocketOffer() {
  withdraw();
}

Result<std::unique_ptr<SocketOffer>> SocketOffer::make(const std::string& data, pid_t leader,
                                                       const std::vector<http::ListeningSocket>& sockets) {
  std::error_code error;
  fs::create_directories(folder_of(data), error);
  ::chmod(folder_of(data).c_str(), 0700);
  auto state = std::make_unique<State>();
  state->data = data;
  state->name = name_of(leader, ::getpid());
  for (const http::ListeningSocket& socket : sockets) {
    const int copy = ::fcntl(socket.file, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0) state->sockets.push_back({socket.address, socket.is_tls, copy});
  }
  fs::remove(folder_of(data) + "/" + state->name, error);  // of a process that had this one's number
  const UnixAddress address(data, state->name);
  if (::bind(state->offered, address.get(), sizeof address.address) != 0 || ::listen(state->offered, 16) != 0) {
    return Fault{"sockets cannot be offered to a successor in " + folder_of(data) + ": " + std::strerror(errno)};
  }
  std::unique_ptr<SocketOffer> offer(new SocketOffer(std::move(state)));
  offer->state_->thread = std::thread([&state = *offer->state_] { state.run(); });
  return offer;
}

void SocketOffer::withdraw() {
  if (!state_) return;
  const std::uint64_t one = 1;
  while (::write(state_->ending, &one, sizeof one) < 0 && errno == EINTR) {
  }
  if (state_->thread.joinable()) state_->thread.join();
  std::error_code ignored;
  fs::remove(folder_of(state_->data) + "/" + state_->name, ignored);
  state_.reset();
}

bool offers_sockets(const std::string& data, pid_t leader, pid_t process) {
  return fs::exists(folder_of(data) + "/" + name_of(leader, process));
}

std::vector<http::ListeningSocket> take_sockets(const std::string& data, pid_t leader, int index, int count) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_of(data), ignored)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(std::to_string(leader) + "-")) {
      names.push_back(name);
    } else if (!fs::exists("/proc/" + name.substr(name.find('-') + 1))) {
      fs::remove(entry.path(), ignored);
    }
  }
  std::sort(names.begin(), names.end());
  std::vector<http::ListeningSocket> sockets;
  for (std::size_t i = static_cast<std::size_t>(index); i < names.size(); i += static_cast<std::size_t>(count)) {
    const File old = connect_to(data, names[i]);
    while (old >= 0) {
      std::optional<http::ListeningSocket> socket = receive_socket(old);
      if (!socket) break;
      sockets.push_back(*std::move(socket));
    }
  }
  return sockets;
}

}  // namespace courant::server
