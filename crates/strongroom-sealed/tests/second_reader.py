"""A second reader of the sealed file, written after docs/format.md and nothing else.

usage: second_reader.py FILE key|passphrase TEXT

Prints the vault's id, generation and records as JSON. Exits with 77 if Python's `cryptography` is missing or too old.
"""

import hashlib, hmac, json, sqlite3, struct, sys

try:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
except ImportError:
    sys.exit(77)


def bind(*parts):
    parts = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def derive(secret, salt, info, length=32):
    key = hmac.digest(salt, secret, "sha256")
    return hmac.digest(key, info.encode() + b"\x01", "sha256")[:length]


def checksum(*parts):
    return hashlib.sha256(bind(*parts)).digest()[:8]


def hchacha20(key, nonce):
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    rotate = lambda x, n: (x << n | x >> (32 - n)) & 0xFFFFFFFF

    def quarter(a, b, c, d):
        for add, to, by in ((a, d, 16), (c, b, 12), (a, d, 8), (c, b, 7)):
            state[add] = (state[add] + state[b if add == a else d]) & 0xFFFFFFFF
            state[to] = rotate(state[to] ^ state[add], by)

    for _ in range(10):
        for i in range(4):
            quarter(i, i + 4, i + 8, i + 12)
        for i in range(4):
            quarter(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12)
    return struct.pack("<8I", *state[:4], *state[12:])


def unseal(key, aad, sealed):
    nonce, rest = sealed[:24], sealed[24:]
    cipher = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
    return cipher.decrypt(b"\0\0\0\0" + nonce[16:], rest, aad)


def vault_key(database, vault_id, key_id, kind, text):
    fields = "id, kind, label, created_at, salt, memory_kib, passes, lanes, wrapped, checksum"
    for *start, memory, passes, lanes, wrapped, check in database.execute(f"SELECT {fields} FROM slot"):
        cost = b"" if memory is None else struct.pack(">III", memory, passes, lanes)
        assert check == checksum("strongroom-sealed/1 slot checksum", *start, cost, wrapped)
        if (kind == "passphrase") != bool(cost):
            continue
        salt = start[-1]
        if cost:
            material = Argon2id(
                salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory
            ).derive(text.encode())
        else:
            material = bytes.fromhex(text.removeprefix("strongroom-key-1:"))
        slot_key = derive(material, salt, "strongroom-sealed/1 slot")
        return unseal(slot_key, bind("strongroom-sealed/1 slot", vault_id, key_id, *start, cost), wrapped)


def read(path, kind, text):
    database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    pragma = lambda name: database.execute(f"PRAGMA {name}").fetchone()[0]
    assert (pragma("application_id"), pragma("user_version")) == (0x7374726D, 1)
    vault_id, key_id, check, state = database.execute(
        "SELECT id, key_id, checksum, state FROM vault WHERE previous IS NULL"
    ).fetchone()
    assert check == checksum("strongroom-sealed/1 vault checksum", vault_id, key_id)
    vault = vault_key(database, vault_id, key_id, kind, text)
    key = lambda purpose: derive(vault, vault_id, f"strongroom-sealed/1 {purpose}")
    assert derive(vault, vault_id, "strongroom-sealed/1 key id", 8) == key_id
    state = unseal(key("state"), bind("strongroom-sealed/1 state", vault_id, key_id), state)
    generation, count, total = struct.unpack(">QQ32s", state)
    records, sum_of_rows = [], bytes(32)
    for row_key, about, value in database.execute("SELECT row_key, about, value FROM record"):
        about_plain = unseal(key("records"), bind("strongroom-sealed/1 about", vault_id, row_key), about)
        aad = bind("strongroom-sealed/1 value", vault_id, row_key, about[:24])
        record = json.loads(about_plain) | {"value": unseal(key("records"), aad, value).decode()}
        name = [part for part in (record["name"], record.get("target")) if part is not None]
        assert row_key == hmac.digest(key("names"), bind("strongroom-sealed/1 name", *name), "sha256")
        mark = hmac.digest(key("rows"), row_key, "sha256")
        sum_of_rows = bytes(a ^ b for a, b in zip(sum_of_rows, mark))
        records.append(record)
    assert (len(records), sum_of_rows) == (count, total)
    return {"id": vault_id.hex(), "generation": generation, "records": records}


print(json.dumps(read(*sys.argv[1:]), sort_keys=True))
