import { expect } from 'chai'
import {
  createdAssets,
  deployedMarketplace,
  ethers,
  hashOrder,
  loadFixture,
  operationOn,
  SIGN,
  setCode,
  signedOrders,
  signOrder,
  signOrders,
} from '../../fixtures.ts'

/** The order of secp256k1: `s` and `ORDER - s` make the same signature. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const digest = ethers.id('anything')

/** The ways in which `Troublemaker` answers, in its order. */
const troubles = [
  'reverts',
  'reverts with a bomb',
  'returns a bomb',
  'burns all gas',
  'returns nothing',
  'returns zero',
  'returns all ones',
  'returns one byte',
]

/** What a contract says that approves (ERC-1271), as a word. */
const APPROVED = ethers.zeroPadBytes('0x1626ba7e', 32)

/** Code that ends every call with the first bytes of a word. */
function codeThatEnds(how: 'return' | 'revert', word: string, length: number): string {
  const { concat, toBeHex } = ethers
  // PUSH32 word, MSTORE at 0; then RETURN or REVERT from 0.
  return concat(['0x7f', word, '0x600052', '0x60', toBeHex(length, 1), '0x6000', how === 'return' ? '0xf3' : '0xfd'])
}

/** A key of ours, so that a bare digest can be signed. */
async function keyHolder() {
  const market = await loadFixture(deployedMarketplace)
  const key = new ethers.SigningKey(ethers.id('a key for tests'))
  return { ...market, key, account: ethers.computeAddress(key), signature: key.sign(digest) }
}

/** A contract wallet whose holder has a key of ours. */
async function contractWallet() {
  const market = await loadFixture(keyHolder)
  return { ...market, wallet: await ethers.deployContract('ContractWallet', [market.account]) }
}

describe('verifySignature', () => {
  describe('given an account with a key', () => {
    it('accepts 65 bytes and the 64 bytes of EIP-2098', async () => {
      const { hub, account, signature } = await loadFixture(keyHolder)
      expect(await hub.verifySignature(account, digest, signature.serialized)).to.equal(true)
      expect(await hub.verifySignature(account, digest, signature.compactSerialized)).to.equal(true)
    })

    it('refuses another account, another digest and another signature', async () => {
      const { hub, account, signature, anyone, key } = await loadFixture(keyHolder)
      const other = key.sign(ethers.id('something else')).serialized
      expect(await hub.verifySignature(anyone, digest, signature.serialized)).to.equal(false)
      expect(await hub.verifySignature(account, ethers.id('something else'), signature.serialized)).to.equal(false)
      expect(await hub.verifySignature(account, digest, other)).to.equal(false)
    })

    it('refuses the twin of a signature, with `s` in the upper half', async () => {
      const { hub, account, signature } = await loadFixture(keyHolder)
      const s = ethers.toBeHex(ORDER - BigInt(signature.s), 32)
      const twin = ethers.concat([signature.r, s, signature.v === 27 ? '0x1c' : '0x1b'])
      expect(ethers.recoverAddress(digest, ethers.Signature.from(signature.serialized))).to.equal(account)
      expect(await hub.verifySignature(account, digest, twin)).to.equal(false)
    })

    it('refuses any other length, and recovery bits that do not exist', async () => {
      const { hub, account, signature } = await loadFixture(keyHolder)
      const long = ethers.concat([signature.serialized, '0x00'])
      const short = ethers.dataSlice(signature.serialized, 0, 63)
      const wrong = ethers.concat([signature.r, signature.s, '0x1d'])
      for (const bad of ['0x', '0x00', short, long, wrong, ethers.hexlify(new Uint8Array(65))]) {
        expect(await hub.verifySignature(account, digest, bad)).to.equal(false)
      }
    })

    it('never takes a failed recovery for the signature of the zero address', async () => {
      const { hub } = await loadFixture(keyHolder)
      for (const bad of ['0x', ethers.hexlify(new Uint8Array(65)), ethers.hexlify(new Uint8Array(64))]) {
        expect(await hub.verifySignature(ethers.ZeroAddress, digest, bad)).to.equal(false)
      }
    })
  })

  describe('given an account that is a contract', () => {
    it('asks it (ERC-1271)', async () => {
      const { hub, wallet, signature, key } = await loadFixture(contractWallet)
      expect(await hub.verifySignature(wallet, digest, signature.serialized)).to.equal(true)
      const other = key.sign(ethers.id('something else')).serialized
      expect(await hub.verifySignature(wallet, digest, other)).to.equal(false)
    })

    for (const [kind, name] of troubles.entries()) {
      it(`takes one that ${name} as a refusal`, async () => {
        const { hub, signature } = await loadFixture(keyHolder)
        const contract = await ethers.deployContract('Troublemaker', [kind])
        expect(await hub.verifySignature(contract, digest, signature.serialized)).to.equal(false)
      })
    }

    it('takes nothing but a whole word that was returned for an approval', async () => {
      const { hub, signature, anyone } = await loadFixture(keyHolder)
      // Memory that nothing was written to yet, as with a signature that is none, must not complete a short answer.
      for (const given of [signature.serialized, '0x', '0x00']) {
        const answers = async (how: 'return' | 'revert', length: number) => {
          await setCode(anyone.address, codeThatEnds(how, APPROVED, length))
          return hub.verifySignature(anyone, digest, given)
        }
        for (const length of [32, 33, 255]) expect(await answers('return', length)).to.equal(true)
        for (const length of [0, 4, 31]) expect(await answers('return', length), `${length}`).to.equal(false)
        for (const length of [4, 31, 32, 255]) expect(await answers('revert', length), `${length}`).to.equal(false)
      }
    })
  })

  describe('given an account with a key and code (EIP-7702)', () => {
    it('accepts the signature of the key although the code does not answer', async () => {
      const { hub, account, signature, token } = await loadFixture(keyHolder)
      await setCode(account, await ethers.provider.getCode(token))
      expect(await hub.verifySignature(account, digest, signature.serialized)).to.equal(true)
    })

    it('accepts what the code accepts although the key did not sign', async () => {
      const { hub, wallet, signature, anyone } = await loadFixture(contractWallet)
      await setCode(anyone.address, await ethers.provider.getCode(wallet))
      expect(await hub.verifySignature(anyone, digest, signature.serialized)).to.equal(true)
    })
  })
})

describe('verifyPresignature', () => {
  it('knows what the owner signed on chain, and nobody else', async () => {
    const { hub, orders, appOwner, anyone, domain } = await loadFixture(signedOrders)
    const orderHash = hashOrder('app', orders[0], domain)
    expect(await hub.verifyPresignature(appOwner, orderHash)).to.equal(false)
    await hub.connect(appOwner).manageAppOrder(operationOn(orders[0], SIGN))
    expect(await hub.verifyPresignature(appOwner, orderHash)).to.equal(true)
    expect(await hub.verifyPresignature(anyone, orderHash)).to.equal(false)
    expect(await hub.verifyPresignature(ethers.ZeroAddress, orderHash)).to.equal(false)
  })

  it('does not take an order that nobody signed for one of the zero address', async () => {
    const { hub } = await loadFixture(deployedMarketplace)
    expect(await hub.verifyPresignature(ethers.ZeroAddress, digest)).to.equal(false)
  })
})

describe('verifyPresignatureOrSignature', () => {
  it('accepts either', async () => {
    const { hub, orders, appOwner, anyone, domain } = await loadFixture(signedOrders)
    const orderHash = hashOrder('app', orders[0], domain)
    expect(await hub.verifyPresignatureOrSignature(appOwner, orderHash, orders[0].sign)).to.equal(true)
    expect(await hub.verifyPresignatureOrSignature(appOwner, orderHash, '0x')).to.equal(false)
    await hub.connect(appOwner).manageAppOrder(operationOn(orders[0], SIGN))
    expect(await hub.verifyPresignatureOrSignature(appOwner, orderHash, '0x')).to.equal(true)
    expect(await hub.verifyPresignatureOrSignature(anyone, orderHash, '0x')).to.equal(false)
  })
})

describe('a match', () => {
  it('accepts an app whose owner is a contract', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, appRegistry, app, appOwner, domain } = assets
    const wallet = await ethers.deployContract('ContractWallet', [appOwner])
    await appRegistry.connect(appOwner).transferFrom(appOwner, wallet, app.target.toString())
    await expect(hub.matchOrders(...(await signOrders(assets)))).to.emit(hub, 'OrdersMatched')
    expect(domain.verifyingContract).to.equal(hub.target)
  })

  it('refuses a signature made for another chain, and one made for another Hub', async () => {
    const assets = await loadFixture(signedOrders)
    const { hub, orders, requester, domain } = assets
    const elsewhere = [
      { ...domain, chainId: 1n },
      { ...domain, verifyingContract: assets.token.target.toString() },
      { ...domain, version: '6.0.0' },
    ]
    for (const other of elsewhere) {
      const request = await signOrder('request', orders[3], { signer: requester, domain: other })
      await expect(hub.matchOrders(orders[0], orders[1], orders[2], request))
        .to.be.revertedWithCustomError(hub, 'NotAuthentic')
        .withArgs(3n, hashOrder('request', orders[3], domain), requester.address)
    }
  })
})

describe('a restriction', () => {
  it('admits the member of a group, and nobody else', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, requester } = assets
    const group = await ethers.deployContract('Group')
    const restricted = { dataset: { requesterrestrict: group.target.toString() } }
    await expect(hub.matchOrders(...(await signOrders(assets, restricted))))
      .to.be.revertedWithCustomError(hub, 'Restricted')
      .withArgs(1n, 3n, group.target, requester.address)
    const memberPurpose = 4n
    await group.add(requester, memberPurpose + 1n)
    await expect(hub.matchOrders(...(await signOrders(assets, restricted)))).to.be.revertedWithCustomError(
      hub,
      'Restricted',
    )
    await group.add(requester, memberPurpose)
    await expect(hub.matchOrders(...(await signOrders(assets, restricted)))).to.emit(hub, 'OrdersMatched')
  })

  for (const [kind, name] of troubles.entries()) {
    it(`to a group that ${name} admits nobody`, async () => {
      const assets = await loadFixture(createdAssets)
      const { hub } = assets
      const group = await ethers.deployContract('Troublemaker', [kind])
      const orders = await signOrders(assets, { app: { requesterrestrict: group.target.toString() } })
      await expect(hub.matchOrders(...orders)).to.be.revertedWithCustomError(hub, 'Restricted')
    })
  }

  it('to an account without code admits that account only', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, requester, anyone } = assets
    const others = await signOrders(assets, { app: { requesterrestrict: anyone.address } })
    await expect(hub.matchOrders(...others)).to.be.revertedWithCustomError(hub, 'Restricted')
    const own = await signOrders(assets, { app: { requesterrestrict: requester.address } })
    await expect(hub.matchOrders(...own)).to.emit(hub, 'OrdersMatched')
  })
})
