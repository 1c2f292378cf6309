//! A socket with its buffers.

use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// TCP, with or without TLS.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn tcp(&self) -> &TcpStream;
}

impl Transport for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Transport for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// How long a client may take to read our last words and close.
const LINGER: Duration = Duration::from_secs(1);

pub(crate) struct Socket<S> {
    pub reader: ReadHalf<S>,
    pub writer: WriteHalf<S>,
    /// Read and not parsed.
    pub input: BytesMut,
    /// Not written.
    pub output: BytesMut,
    /// Something was written that may still lie in the TLS layer.
    pub unflushed: bool,
    /// Bytes handed to the transport since the start.
    pub written: u64,
}

impl<S: Transport> Socket<S> {
    pub fn new(stream: S) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self {
            reader,
            writer,
            input: BytesMut::with_capacity(16 * 1024),
            output: BytesMut::with_capacity(16 * 1024),
            unflushed: false,
            written: 0,
        }
    }

    /// Reads some; 0 is the end. Nothing is lost when this is cancelled.
    pub async fn read(&mut self) -> io::Result<usize> {
        read(&mut self.reader, &mut self.input).await
    }

    /// Where in the stream the end of `output` is.
    pub fn end_of_output(&self) -> u64 {
        self.written + self.output.len() as u64
    }

    /// Writes everything, shuts down in order, and reads until the client has closed too, all in bounded time: what
    /// is left unread makes the kernel reset the connection, and the client may lose our last words.
    pub async fn finish(mut self) {
        let farewell = async {
            self.writer.write_all(&self.output).await?;
            self.writer.shutdown().await?;
            self.input.clear();
            while self.read().await? > 0 {
                self.input.clear();
            }
            io::Result::Ok(())
        };
        let _ = timeout(LINGER, farewell).await;
    }

    /// Closes by a TCP reset.
    pub fn reset(self) {
        let stream = self.reader.unsplit(self.writer);
        if let Err(error) = socket2::SockRef::from(stream.tcp()).set_linger(Some(Duration::ZERO)) {
            tracing::debug!("no reset: {error}");
        }
    }
}

/// Reads some into `input`; 0 is the end.
pub(crate) async fn read<S: Transport>(reader: &mut ReadHalf<S>, input: &mut BytesMut) -> io::Result<usize> {
    input.reserve(16 * 1024);
    reader.read_buf(input).await
}

/// Writes some of `output`, or flushes if it is empty; how many bytes were taken.
pub(crate) async fn write<S: Transport>(
    writer: &mut WriteHalf<S>,
    output: &mut BytesMut,
) -> io::Result<usize> {
    if output.is_empty() {
        writer.flush().await?;
        return Ok(0);
    }
    let count = writer.write(output).await?;
    if count == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    output.advance(count);
    Ok(count)
}
