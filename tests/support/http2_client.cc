#include "tests/support/http2_client.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace courant::test {
namespace {

std::string_view text_of(const std::uint8_t* bytes, std::size_t count) {
  return {reinterpret_cast<const char*>(bytes), count};
}

std::vector<nghttp2_nv> nv_of(const Http2Client::Fields& fields) {
  std::vector<nghttp2_nv> out;
  for (const auto& [name, value] : fields) {
    const auto bytes = [](const std::string& text) {
      return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
    };
    out.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return out;
}

}  // namespace

struct Http2Client::Callbacks {
  static Http2Client& of(void* user) { return *static_cast<Http2Client*>(user); }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_length,
                       const std::uint8_t* value, std::size_t value_length, std::uint8_t, void* user) {
    Http2Answer& answer = of(user).answers_[frame->hd.stream_id];
    const std::string_view text = text_of(value, value_length);
    if (text_of(name, name_length) == ":status") std::from_chars(text.data(), text.data() + text.size(), answer.status);
    answer.headers.emplace_back(text_of(name, name_length), text);
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t count,
                     void* user) {
    of(user).answers_[id].body.append(text_of(bytes, count));
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) of(user).goaway_ = frame->goaway.error_code;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
      of(user).answers_[frame->hd.stream_id].error = frame->rst_stream.error_code;
    return 0;
  }

  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    of(user).answers_[id].is_over = true;
    return 0;
  }

  static ssize_t give_body(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source*, void* user) {
    std::string& body = of(user).bodies_[id];
    const std::size_t count = std::min(body.size(), room);
    std::memcpy(into, body.data(), count);
    body.erase(0, count);
    if (body.empty() && of(user).is_open_[id])
      return count > 0 ? static_cast<ssize_t>(count) : ssize_t{NGHTTP2_ERR_DEFERRED};
    if (body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }
};

std::string Http2Answer::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (field == name) return value;
  }
  return {};
}

Http2Client::Http2Client(Wire wire, std::vector<nghttp2_settings_entry> settings, bool windows_stay)
    : wire_(std::move(wire)) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::on_close);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_http_messaging(option, 1);  // what we send may be wrong
  if (windows_stay) nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  flush();
}

Http2Client::~Http2Client() {
  nghttp2_session_del(session_);
}

std::int32_t Http2Client::request(std::string_view method, std::string_view path, const Fields& headers,
                                  std::optional<std::string> body, std::string_view authority, bool is_open) {
  Fields fields = {{":method", std::string(method)},
                   {":scheme", "http"},
                   {":authority", std::string(authority)},
                   {":path", std::string(path)}};
  fields.insert(fields.end(), headers.begin(), headers.end());
  const std::vector<nghttp2_nv> nv = nv_of(fields);
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::give_body;
  const std::int32_t id =
      nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(), body ? &provider : nullptr, nullptr);
  if (body) bodies_[id] = *std::move(body);
  is_open_[id] = is_open;
  flush();
  return id;
}

std::int32_t Http2Client::request_of(const Fields& fields) {
  const std::vector<nghttp2_nv> nv = nv_of(fields);
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(), nullptr, nullptr);
  flush();
  return id;
}

void Http2Client::reset(std::int32_t stream) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  flush();
}

void Http2Client::send_bytes(std::string_view bytes) {
  flush();
  wire_.send(bytes);
}

void Http2Client::flush() {
  const std::uint8_t* bytes = nullptr;
  std::string out;
  ssize_t count = 0;
  while ((count = nghttp2_session_mem_send(session_, &bytes)) > 0) {
    out.append(text_of(bytes, static_cast<std::size_t>(count)));
  }
  if (!out.empty()) wire_.send(out);
}

bool Http2Client::receive() {
  const std::string bytes = wire_.receive();
  if (bytes.empty()) {
    is_over_ = true;
    return false;
  }
  if (nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) < 0) {
    is_over_ = true;
  }
  flush();
  return !is_over_;
}

const Http2Answer& Http2Client::wait(std::int32_t stream) {
  wait_until([&] { return answers_[stream].is_over; });
  return answers_[stream];
}

void Http2Client::send_body(std::int32_t stream) {
  wait_until([&] { return bodies_[stream].empty(); });
}

bool Http2Client::wait_until(const std::function<bool()>& holds) {
  while (!holds()) {
    if (!receive()) return holds();
  }
  return true;
}

}  // namespace courant::test
