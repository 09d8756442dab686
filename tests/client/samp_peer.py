"""Another program on the same computer: a hub, and a client that says on standard output what it is sent.

Arguments: the client's name, then the mtypes that it listens to; ``--refuse`` answers with an error,
``--hub`` starts a hub too, ``--web`` one with the Web Profile that everybody may use.
"""

import json
import sys
import threading
import time

from pyvo.samp import SAMPHubServer, SAMPIntegratedClient, conf

conf.use_internet = False


def _say(line: str) -> None:
    sys.stdout.write(f"> {line}\n")  # the hub writes to standard output too
    sys.stdout.flush()


class _Consent:
    """Says yes to every page that asks to be registered."""

    queue_request = queue_result = None

    def run(self) -> None:
        while True:
            if self.queue_request is not None and self.queue_result is not None:
                self.queue_request.get()
                self.queue_result.put(True)
            time.sleep(0.02)


def main(name: str, *arguments: str) -> None:
    hub = None
    if {"--hub", "--web"} & set(arguments):
        consent = _Consent()
        web = "--web" in arguments
        hub = SAMPHubServer(addr="127.0.0.1", web_profile=web, web_profile_dialog=consent if web else None)
        hub.start()
        threading.Thread(target=consent.run, daemon=True).start()
    client = SAMPIntegratedClient(name=name, addr="127.0.0.1")
    client.connect()

    def received(
        _key: str, sender: str, number: str | None, mtype: str, params: object, _extra: object
    ) -> None:
        said = {"mtype": mtype, "params": params, "from": client.get_metadata(sender)["samp.name"]}
        _say(json.dumps(said))
        if number is not None:
            refused = "--refuse" in arguments
            client.ereply(
                number,
                "samp.error" if refused else "samp.ok",
                result={},
                error={"samp.errortxt": "too large"} if refused else None,
            )

    for mtype in arguments:
        if not mtype.startswith("--"):
            client.bind_receive_call(mtype, received)
            client.bind_receive_notification(
                mtype, lambda key, sender, m, p, e: received(key, sender, None, m, p, e)
            )
    _say("ready")
    sys.stdin.readline()
    client.disconnect()
    if hub is not None:
        hub.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
