#include "schema/interruptible.h"

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <unordered_set>

#include <libxml/xmlerror.h>
#include <libxml/xmlmemory.h>
#include <setjmp.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kernel/watched_heap.h"

namespace courant::schema {
namespace {

// Before main(), while there is one thread: libxml2 keeps the functions where every thread reads them without a lock.
[[maybe_unused]] const int memory_set_up = xmlMemSetup(watched_free, watched_malloc, watched_realloc, watched_strdup);

int over_signal() {
  return SIGRTMIN + 5;
}

// What runs on a thread: its memory, and where to go on when it is over.
class Running final : public HeapWatch {
 public:
  void begins() override { held_ = held_ + 1; }
  void ended() override {
    held_ = held_ - 1;
    leave_if_over();
  }
  void took(void* block, std::size_t) override { blocks_.insert(block); }
  void gave(void* block, std::size_t) override { blocks_.erase(block); }

  // The time is over. On the thread, wherever it stands.
  void end() {
    is_over_ = 1;
    leave_if_over();
  }
  sigjmp_buf& place() { return place_; }
  void free_all() {
    for (void* const block : blocks_) std::free(block);
    blocks_.clear();
  }

 private:
  void leave_if_over() {
    if (is_over_ != 0 && held_ == 0) siglongjmp(place_, 1);
  }

  sigjmp_buf place_{};
  volatile std::sig_atomic_t held_ = 1;  // from its making until the work begins
  volatile std::sig_atomic_t is_over_ = 0;
  std::unordered_set<void*> blocks_;
};

thread_local Running* volatile running = nullptr;

void hear_signal(int) {
  if (Running* const run = running) run->end();
}

// The thread's timer, made once.
class Timer {
 public:
  Timer() {
    static const int kHandled = [] {
      struct sigaction action = {};
      action.sa_handler = hear_signal;
      action.sa_flags = SA_RESTART;
      sigemptyset(&action.sa_mask);
      return ::sigaction(over_signal(), &action, nullptr);
    }();
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = over_signal();
    event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
    if (kHandled != 0 || ::timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer_) != 0) {
      throw std::runtime_error("there is no timer for the time of schemas");
    }
  }
  ~Timer() { ::timer_delete(timer_); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void set(std::chrono::nanoseconds time) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    itimerspec when = {};
    when.it_value.tv_sec = seconds.count();
    when.it_value.tv_nsec = (time - seconds).count();
    ::timer_settime(timer_, 0, &when, nullptr);
  }

 private:
  timer_t timer_{};
};

}  // namespace

NotNow::NotNow() {
  if (running != nullptr) running->begins();
}

NotNow::~NotNow() {
  if (running != nullptr) running->ended();
}

bool run_interruptibly(std::chrono::milliseconds time, void (*work)(void* subject), void* subject) {
  static thread_local const Timer timer;
  xmlResetLastError();  // so that nothing of before is freed in the run
  Running run;
  if (sigsetjmp(run.place(), 1) != 0) {
    // What libxml2 remembers of errors is in the memory that goes.
    xmlLastError = {};
    running = nullptr;
    watch_heap(nullptr);
    timer.set(std::chrono::nanoseconds(0));
    run.free_all();
    return false;
  }
  running = &run;
  watch_heap(&run);
  timer.set(time);
  run.ended();
  work(subject);
  run.begins();
  running = nullptr;
  watch_heap(nullptr);
  timer.set(std::chrono::nanoseconds(0));
  return true;
}

}  // namespace courant::schema
