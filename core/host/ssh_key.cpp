// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <optional>

#include "base/encoding.h"
#include "base/secret_string.h"
#include "host/ssh_host.h"
#include "host/ssh_wire.h"

// The private file has OpenSSH's own format ("openssh-key-v1", PROTOCOL.key in OpenSSH's sources): the only one that
// libssh2 1.10 reads ed25519 keys from.
namespace vcc {
namespace {

constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kEnd = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::string_view kMagic{"openssh-key-v1\0", 15};
constexpr std::string_view kEd25519 = "ssh-ed25519";
constexpr std::string_view kComment = "vcc";
constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kFileLimit = 64 * 1024;

std::string publicOfSeed(const std::array<std::uint8_t, kSeedBytes>& seed) {
  EVP_PKEY* key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size());
  std::string bytes(kSeedBytes, '\0');
  std::size_t size = bytes.size();
  bool ok =
      key != nullptr && EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size) == 1;
  EVP_PKEY_free(key);
  return ok ? bytes : "";
}

/// The text of a fresh private key file.
Result<SecretString> makePrivateFile(Random& random) {
  std::array<std::uint8_t, kSeedBytes> seed;
  random.fill(seed);
  std::string public_bytes = publicOfSeed(seed);
  if (public_bytes.empty()) return internalError("OpenSSL cannot make an ed25519 key");

  // The two equal numbers tell a reader with a wrong pass phrase that it is wrong; without one they only have to agree.
  std::array<std::uint8_t, 4> check_bytes;
  random.fill(check_bytes);
  std::string check(check_bytes.begin(), check_bytes.end());
  std::string inner = check + check + ssh_wire::string(kEd25519) + ssh_wire::string(public_bytes) +
                      ssh_wire::string(std::string(seed.begin(), seed.end()) + public_bytes) +
                      ssh_wire::string(kComment);
  for (char pad = 1; inner.size() % 8 != 0; ++pad) inner += pad;

  std::string blob = ssh_wire::string(kEd25519) + ssh_wire::string(public_bytes);
  std::string container = std::string(kMagic) + ssh_wire::string("none") + ssh_wire::string("none") +
                          ssh_wire::string("") + ssh_wire::uint32(1) + ssh_wire::string(blob) + ssh_wire::string(inner);
  std::string body = base64Encode(container);
  std::string text = std::string(kBegin) + "\n";
  for (std::size_t i = 0; i < body.size(); i += 70) text += body.substr(i, 70) + "\n";
  text += std::string(kEnd) + "\n";
  return SecretString(std::move(text));
}

Status refused(const std::string& path, std::string_view cause) {
  return failedPrecondition(
      fmt::format("ssh key {}: {}; move it away (a new ed25519 key is then made at the next start, whose public line "
                  "must be installed on existing servers), or put one there made by: ssh-keygen -t ed25519 -N ''",
                  path, cause));
}

constexpr std::string_view kRsaCause =
    "it is an RSA key, which cannot be used: libssh2 signs RSA with SHA-1 only and today's servers refuse that";

/// The container inside the PEM lines.
std::optional<SecretString> decodeContainer(std::string_view text) {
  auto begin = text.find(kBegin);
  auto end = text.find(kEnd);
  if (begin == text.npos || end == text.npos || end < begin) return std::nullopt;
  begin += kBegin.size();
  std::string body;
  for (char c : text.substr(begin, end - begin)) {
    if (c != '\n' && c != '\r' && c != ' ') body += c;
  }
  auto bytes = base64Decode(body);
  if (!bytes.ok()) return std::nullopt;
  return SecretString(std::move(bytes).value());
}

/// "ssh-ed25519 AAAA..." of the key in a private key file, or why it cannot be used.
Result<std::string> publicLineOf(const std::string& path, std::string_view text) {
  if (text.find("BEGIN RSA PRIVATE KEY") != text.npos) return refused(path, kRsaCause);
  auto container = decodeContainer(text);
  std::string_view rest = container ? std::string_view(container->reveal()) : "";
  if (!rest.starts_with(kMagic)) return refused(path, "it is not a private key in OpenSSH's format");
  rest.remove_prefix(kMagic.size());
  auto cipher = ssh_wire::takeString(rest);
  auto kdf = ssh_wire::takeString(rest);
  auto kdf_options = ssh_wire::takeString(rest);
  auto count = ssh_wire::takeUint32(rest);
  auto blob = ssh_wire::takeString(rest);
  auto secret = ssh_wire::takeString(rest);
  if (!cipher || !kdf || !kdf_options || !count || !blob || !secret || *count != 1) {
    return refused(path, "it is damaged");
  }
  if (*cipher != "none") return refused(path, "it has a pass phrase, and nobody is there to type it");
  std::string line = ssh_wire::keyLine(*blob);
  if (line.starts_with("ssh-rsa ")) return refused(path, kRsaCause);
  // libssh2 1.10 leaks a part of an ecdsa key, 56 bytes, at each login.
  if (!line.starts_with("ssh-ed25519 ")) return refused(path, "it is not an ed25519 key, the only type that is used");
  return line;
}

}  // namespace

Result<SshKey> openSshKey(FileSystem& files, const std::string& dir, Random& random) {
  SshKey key{dir + "/id_ed25519", dir + "/id_ed25519.pub", ""};
  VCC_RETURN_IF_ERROR(files.makeDirs(dir, 0700));
  if (!files.exists(key.private_path)) {
    VCC_ASSIGN_OR_RETURN(SecretString fresh, makePrivateFile(random));
    VCC_RETURN_IF_ERROR(files.writeAtomic(key.private_path, fresh.reveal(), 0600));
  }
  VCC_ASSIGN_OR_RETURN(std::string read, files.read(key.private_path, kFileLimit));
  SecretString text(std::move(read));
  VCC_ASSIGN_OR_RETURN(std::string line, publicLineOf(key.private_path, text.reveal()));
  key.public_line = fmt::format("{} {}", line, kComment);

  // libssh2 sends the public file's key: it must be the private one's, also when a crash came between the two writes.
  auto present = files.exists(key.public_path) ? files.read(key.public_path, kFileLimit) : std::string();
  if (!present.ok() || !present->starts_with(line)) {
    VCC_RETURN_IF_ERROR(files.writeAtomic(key.public_path, key.public_line + "\n", 0644));
  }
  return key;
}

}  // namespace vcc
