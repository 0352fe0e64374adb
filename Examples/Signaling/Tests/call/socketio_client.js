// The smallest client of Socket.IO 5 over Engine.IO 4: long polling first, then WebSocket; acknowledgements; recovery.
// Evaluated in a page; `await connectSocketIO()` gives a client.
window.connectSocketIO = async (state = {}) => {
    const base = "/socket.io/?EIO=4&transport=";
    const client = { handlers: {}, log: [], state, acks: {}, next: 0 };
    const open = JSON.parse((await (await fetch(base + "polling")).text()).slice(1));
    const polling = `${base}polling&sid=${open.sid}`;
    const post = (packet) => fetch(polling, { method: "POST", body: packet });

    client.on = (event, handler) => { client.handlers[event] = handler; };
    client.emit = (event, ...data) => client.ws.send("42" + JSON.stringify([event, ...data]));
    client.ask = (event, ...data) => new Promise((resolve) => {
        client.acks[client.next] = resolve;
        client.ws.send(`42${client.next++}` + JSON.stringify([event, ...data]));
    });
    client.ended = new Promise((resolve) => { client.end = resolve; });

    const take = (packet) => {
        if (packet === "2") return client.ws.send("3");
        const [, type, id, data] = /^4(\d)(\d*)(.*)$/s.exec(packet) ?? [];
        if (type === "0") {
            const { sid, pid } = JSON.parse(data);
            client.recovered = state.pid === pid;
            Object.assign(state, { sid, pid });
        } else if (type === "3") {
            client.acks[id](...JSON.parse(data));
        } else if (type === "2") {
            const [event, ...rest] = JSON.parse(data);
            if (typeof rest.at(-1) === "string") state.offset = rest.at(-1);
            client.log.push(event);
            client.handlers[event]?.(...rest);
        }
    };

    const auth = state.pid ? { pid: state.pid, offset: state.offset } : {};
    await post("40" + JSON.stringify(auth));
    for (const packet of (await (await fetch(polling)).text()).split("\x1e")) take(packet);
    client.ws = new WebSocket(`wss://${location.host}${base}websocket&sid=${open.sid}`);
    await new Promise((resolve, reject) => {
        client.ws.onopen = () => client.ws.send("2probe");
        client.ws.onerror = () => reject(new Error("no WebSocket"));
        client.ws.onmessage = resolve;
    });
    client.ws.onmessage = ({ data }) => take(data);
    client.ws.onclose = () => client.end();
    client.ws.send("5");
    return client;
};

// A peer that calls, or waits to be called, through such a client.
window.makePeer = (client, room) => {
    const peer = new RTCPeerConnection();
    let other;
    peer.onicecandidate = ({ candidate }) => {
        if (candidate) client.emit("candidates", { to: { peer: other }, room, body: candidate });
    };
    client.on("offer", async ({ from, body }) => {
        other = from;
        await peer.setRemoteDescription(body);
        await peer.setLocalDescription();
        client.emit("answer", { to: { peer: other }, room, body: peer.localDescription });
    });
    client.on("answer", ({ body }) => peer.setRemoteDescription(body));
    client.on("candidates", ({ body }) => peer.addIceCandidate(body));
    peer.call = async (id) => {
        other = id;
        peer.createDataChannel("data");
        await peer.setLocalDescription();
        client.emit("offer", { to: { peer: other }, room, body: peer.localDescription });
    };
    return peer;
};
