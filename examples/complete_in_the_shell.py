"""The same from the command line: stop a long search, go on with it later, and give the certificate to the checker.

Each line printed with a dollar sign can be typed into a shell as it stands.
"""

import shlex
import subprocess

ALL_CYCLES = "orbitproof cycles examples/plrnn.json --up-to 8 --complete --method words -o all.cert"


def run(line: str, *expected: int) -> None:
    """Run a command line, show its last lines, and end if its exit code is not one of the expected."""
    print(f"$ {line}")
    done = subprocess.run(shlex.split(line), capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    print("\n".join(done.stdout.splitlines()[-4:]))
    if done.returncode not in expected:
        raise SystemExit(f"exit code {done.returncode}\n{done.stderr}")


# Exit code 3: time is over, and the list is not proved complete. The work done lies in all.cert.partial.
run(f"{ALL_CYCLES} --budget 0.5", 0, 3)

# The same command goes on from there. Exit code 0: Proved.
run(ALL_CYCLES, 0)

# What convinces is the certificate: this reads it without the finder.
run("orbitproof check all.cert --network examples/plrnn.json", 0)
