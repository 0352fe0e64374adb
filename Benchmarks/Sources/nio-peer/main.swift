// A plain SwiftNIO server: one event loop, TLS, HTTP/2 with the inline stream multiplexer, frames without the HTTP/1 codec.
//
//   nio-peer PORT CERTIFICATE KEY
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL

guard CommandLine.arguments.count == 4, let port = Int(CommandLine.arguments[1]) else {
    fatalError("usage: nio-peer PORT CERTIFICATE KEY")
}

/// Answers `/hello`, and `/bytes/{n}` from memory.
final class Answers: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var path = ""
    private var received = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers):
            path = headers.headers.first(name: ":path") ?? ""
            if headers.endStream { answer(context) }
        case .data(let data):
            if case .byteBuffer(let bytes) = data.data { received += bytes.readableBytes }
            if data.endStream { answer(context) }
        default: break
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        var body = context.channel.allocator.buffer(capacity: 64)
        if path.hasPrefix("/bytes/"), let count = Int(path.dropFirst(7)) {
            body.writeRepeatingByte(UInt8(ascii: "x"), count: count)
        } else if path == "/count" {
            body.writeString(String(received))
        } else {
            body.writeString("Hello, World!")
        }
        let head: HPACKHeaders = [
            ":status": "200", "content-type": "text/plain", "content-length": String(body.readableBytes),
        ]
        context.write(wrapOutboundOut(.headers(.init(headers: head))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(body), endStream: true))), promise: nil)
    }
}

let chain = try NIOSSLCertificate.fromPEMFile(CommandLine.arguments[2]).map { NIOSSLCertificateSource.certificate($0) }
var tls = TLSConfiguration.makeServerConfiguration(
    certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: CommandLine.arguments[3], format: .pem))
)
tls.applicationProtocols = ["h2"]
let context = try NIOSSLContext(configuration: tls)
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let server = try await ServerBootstrap(group: group)
    .serverChannelOption(.backlog, value: 4096)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
    .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                mode: .server, connectionConfiguration: .init(), streamConfiguration: .init()
            ) { stream in
                stream.eventLoop.makeCompletedFuture { try stream.pipeline.syncOperations.addHandler(Answers()) }
            }
        }
    }
    .bind(host: "127.0.0.1", port: port).get()
try await server.closeFuture.get()
