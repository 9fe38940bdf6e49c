package endpoint

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/quic-go/quic-go/quicvarint"
)

// initialClose is a server's answer to a client's Initial packet: one that holds a CONNECTION_CLOSE of this type (RFC
// 9000 §17.2.2, §19.19). nil for other packets.
func initialClose(t *testing.T, b []byte, frame byte, code uint64, reason string) []byte {
	if len(b) < 1200 || b[0]&0xf0 != 0xc0 || binary.BigEndian.Uint32(b[1:]) != 1 {
		return nil
	}
	dst := b[6 : 6+b[5]]
	src := b[7+len(dst) : 7+len(dst)+int(b[6+len(dst)])]
	payload := quicvarint.Append([]byte{frame}, code)
	if frame == 0x1c {
		payload = append(payload, 0) // the type of the frame that was wrong: none
	}
	payload = append(quicvarint.Append(payload, uint64(len(reason))), reason...)

	const packetNumber, tag = 1, 16 // bytes
	header := append([]byte{0xc0 | packetNumber - 1, 0, 0, 0, 1, byte(len(src))}, src...)
	header = append(append(header, 4), "self"...)
	header = append(header, 0) // no token
	header = quicvarint.AppendWithLen(header, uint64(packetNumber+len(payload)+tag), 2)
	header = append(header, 0)

	key, iv, hp := initialKeys(t, dst)
	sealed := aead(t, key).Seal(nil, iv, payload, header) // packet number 0: the nonce is iv
	mask := make([]byte, aes.BlockSize)
	block(t, hp).Encrypt(mask, sealed[4-packetNumber:][:aes.BlockSize]) // RFC 9001 §5.4.2
	header[0] ^= mask[0] & 0x0f
	header[len(header)-1] ^= mask[1]
	return append(header, sealed...)
}

// initialKeys are those of a server's Initial packets (RFC 9001 §5.2).
func initialKeys(t *testing.T, id []byte) (key, iv, hp []byte) {
	salt := []byte{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
		0xbb, 0x7f, 0x0a}
	secret, err := hkdf.Extract(sha256.New, id, salt)
	if err != nil {
		t.Error(err)
	}
	expand := func(secret []byte, label string, n int) []byte { // RFC 8446 §7.1
		label = "tls13 " + label
		info := append([]byte{0, byte(n), byte(len(label))}, label...)
		out, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
		if err != nil {
			t.Error(err)
		}
		return out
	}
	server := expand(secret, "server in", 32)
	return expand(server, "quic key", 16), expand(server, "quic iv", 12), expand(server, "quic hp", 16)
}

func block(t *testing.T, key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		t.Error(err)
	}
	return b
}

func aead(t *testing.T, key []byte) cipher.AEAD {
	a, err := cipher.NewGCM(block(t, key))
	if err != nil {
		t.Error(err)
	}
	return a
}
