"""ES256 checked with the openssl program: an implementation that is not ours."""
import base64
import os
import subprocess
import tempfile


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify_es256(key, signed, signature):
    point = b"\x04" + decoded(key["x"]) + decoded(key["y"])
    der_key = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + point

    def integer(data):
        data = data.lstrip(b"\0") or b"\0"
        data = b"\0" + data if data[0] & 0x80 else data
        return b"\x02" + bytes([len(data)]) + data
    numbers = integer(signature[:32]) + integer(signature[32:])
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("key", der_key), ("signature", b"\x30" + bytes([len(numbers)]) + numbers), ("signed", signed)):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        done = subprocess.run(["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", "key", "-signature", "signature", "signed"],
                              cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and "Verified OK" in done.stdout, done
