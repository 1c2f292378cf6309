//! The bytes of a TLS connection, from the handshake on.
//!
//! A write that fails after a part of it has gone out tells first what was taken: only so does the session know what may
//! have arrived.

use crate::read_buffer;
use rustls::{ClientConnection, ProtocolVersion};
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) struct TlsStream<S> {
    io: S,
    tls: ClientConnection,
    /// Read from the socket, and not yet decrypted, for want of room for the plaintext.
    backlog: Vec<u8>,
    /// To be told after what was read before it.
    unread: Option<io::Error>,
    /// To be told after what was taken before it.
    unwritten: Option<io::Error>,
    closing: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    pub(crate) fn new(io: S, tls: ClientConnection) -> Self {
        Self { io, tls, backlog: Vec::new(), unread: None, unwritten: None, closing: false }
    }

    /// What was agreed on.
    pub(super) fn connection(&self) -> &ClientConnection {
        &self.tls
    }

    /// Ready when the handshake is over. What the client says last in it is then still to be sent: it goes with the
    /// first bytes that are written, with a flush, or before a read that waits.
    pub(crate) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.tls.is_handshaking() {
            match self.poll_socket(cx, |this, _, sealed| this.negotiate(sealed)) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    // An alert that tells the server why, if the socket takes it at once.
                    let _ = self.poll_push(cx);
                    return Poll::Ready(Err(error));
                }
                Poll::Pending if self.has_time() => return Poll::Pending,
                Poll::Pending => {
                    ready!(Pin::new(self).poll_flush(cx))?;
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the server waits for nothing before the end of our handshake: TLS 1.3, behind its ServerHello. All that
    /// is there to send is the ChangeCipherSpec for middleboxes (RFC 8446, appendix D.4).
    fn has_time(&self) -> bool {
        self.tls.protocol_version() == Some(ProtocolVersion::TLSv1_3)
            && self.tls.negotiated_key_exchange_group().is_some()
    }

    /// Takes in what the server says in the handshake, and keeps what follows it.
    fn negotiate(&mut self, mut sealed: &[u8]) -> io::Result<()> {
        if sealed.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while !sealed.is_empty() && self.tls.is_handshaking() {
            self.unseal(&mut sealed)?;
        }
        self.backlog.extend_from_slice(sealed);
        Ok(())
    }

    /// Has rustls take in some of it. `false` behind the end of the conversation, of which what follows is no part.
    fn unseal(&mut self, sealed: &mut &[u8]) -> io::Result<bool> {
        let count = self.tls.read_tls(sealed)?;
        self.tls
            .process_new_packets()
            .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))?;
        Ok(count > 0)
    }

    /// Reads the socket once, and has `take` take what came, which is nothing at the end.
    fn poll_socket(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&mut Self, &mut Context<'_>, &[u8]) -> io::Result<()>,
    ) -> Poll<io::Result<()>> {
        let mut sealed = read_buffer::take();
        let mut filled = ReadBuf::new(&mut sealed);
        let polled = match Pin::new(&mut self.io).poll_read(cx, &mut filled) {
            Poll::Ready(Ok(())) => Poll::Ready(take(self, cx, filled.filled())),
            unread => unread,
        };
        read_buffer::give_back(sealed);
        polled
    }

    #[cfg(test)]
    pub(crate) fn get_mut(&mut self) -> &mut S {
        &mut self.io
    }

    /// What was decrypted and not yet taken; pending where that is nothing.
    fn poll_plaintext(&mut self, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.tls.reader().read(buf.initialize_unfilled()) {
            Ok(count) => {
                buf.advance(count);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Decrypts into `buf` and returns what had no room there.
    fn decrypt<'a>(&mut self, mut sealed: &'a [u8], buf: &mut ReadBuf<'_>) -> io::Result<&'a [u8]> {
        while !sealed.is_empty() && buf.remaining() > 0 {
            if !self.unseal(&mut sealed)? {
                return Ok(&[]);
            }
            while buf.remaining() > 0 {
                let before = buf.filled().len();
                match self.poll_plaintext(buf) {
                    Poll::Ready(Ok(())) if buf.filled().len() > before => {}
                    Poll::Ready(Ok(())) | Poll::Pending => break,
                    Poll::Ready(Err(error)) => return Err(error),
                }
            }
        }
        Ok(sealed)
    }

    fn take_in(&mut self, sealed: &[u8], buf: &mut ReadBuf<'_>, cx: &mut Context<'_>) {
        match self.decrypt(sealed, buf) {
            Ok(rest) => self.backlog.extend_from_slice(rest),
            Err(error) => self.unread = Some(error),
        }
        // An alert, or an answer to new keys. Should it not go out now, it goes before the next bytes.
        if self.tls.wants_write() {
            let _ = self.poll_push(cx);
        }
    }

    /// Ready when the socket has taken everything that is encrypted.
    fn poll_push(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Socket { io: &mut self.io, cx }) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        loop {
            // Also the end, in order or not.
            if let Poll::Ready(end) = this.poll_plaintext(buf) {
                return Poll::Ready(end);
            }
            if let Some(error) = this.unread.take() {
                return Poll::Ready(Err(error));
            }
            if this.backlog.is_empty() {
                let read = this.poll_socket(cx, |this, cx, sealed| {
                    if sealed.is_empty() {
                        this.tls.read_tls(&mut io::empty())?;
                    } else {
                        this.take_in(sealed, buf, cx);
                    }
                    Ok(())
                });
                if read.is_pending() {
                    // The server may wait for the end of our handshake.
                    let _ = this.poll_push(cx);
                }
                ready!(read)?;
            } else {
                let backlog = std::mem::take(&mut this.backlog);
                this.take_in(&backlog, buf, cx);
            }
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(error) = this.unwritten.take() {
            return Poll::Ready(Err(error));
        }
        loop {
            // Nothing where its buffer is full.
            let taken = this.tls.writer().write(buf)?;
            let pushed = this.poll_push(cx);
            if taken == 0 && !buf.is_empty() {
                ready!(pushed)?;
                continue;
            }
            if let Poll::Ready(Err(error)) = pushed {
                this.unwritten = Some(error);
            }
            return Poll::Ready(Ok(taken));
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(error) = this.unwritten.take() {
            return Poll::Ready(Err(error));
        }
        ready!(this.poll_push(cx))?;
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.closing, true) {
            this.tls.send_close_notify();
        }
        ready!(this.poll_push(cx))?;
        match ready!(Pin::new(&mut this.io).poll_shutdown(cx)) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// The socket as rustls writes to it.
struct Socket<'a, 'b, S> {
    io: &'a mut S,
    cx: &'a mut Context<'b>,
}

impl<S: AsyncWrite + Unpin> Socket<'_, '_, S> {
    fn now(poll: Poll<io::Result<usize>>) -> io::Result<usize> {
        match poll {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: AsyncWrite + Unpin> Write for Socket<'_, '_, S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Self::now(Pin::new(&mut *self.io).poll_write(self.cx, buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        Self::now(Pin::new(&mut *self.io).poll_write_vectored(self.cx, bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
