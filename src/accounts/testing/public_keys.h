// Public keys made by ssh-keygen, and what it says of them. Their private halves are nowhere.
#pragma once

namespace renga::accounts {

inline constexpr const char* ed25519_key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHLAS0TixZkpxCF0QgCG515gIr84HOzEnfiTzxGIYZj4";
inline constexpr const char* ed25519_fingerprint =
    "SHA256:2UaZFafW8skB96Pn0x1vC8P1dc82Il57rl5nftNeFh4";
inline constexpr const char* ecdsa_key =
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBB7/G349"
    "uSCsMEJ/Fio2FF1DS6MSj9cGEQiNPRxUA1DVBzo4gzaKiW5o/6riTw0EYJgm9qfXrrKQuR+wJxFT8GA=";
inline constexpr const char* weak_rsa_key =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC0c+Pv0e78pf7pUehSNNsx+62pzodNHwjyBhyGtdId"
    "MbIFpWH7EsGdnsipQrK1d2UPUfTFlDCDLix424bfHjnU0uEzwbRTlIGJx4i2zJOcbmWYK40aNAAvwH/7"
    "NaPbN4D5CBhyfPUG8O2xWNFd2bLDniiRT8xOqVLLJllI/WojFw==";

}  // namespace renga::accounts
