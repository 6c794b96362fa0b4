import { type ProtectDataReturnType, protectData } from '@sealdeal/sdk'
import { expect } from 'chai'
import type { Stack } from '../stack.ts'
import { newcomer } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

const query = `query ($where: ProtectedData_filter) {
  protectedDatas(where: $where, orderBy: creationTimestamp, orderDirection: desc) { id name owner { id } schema { id } }
}`

async function find(stack: Stack, where: object): Promise<{ id: string; name: string; schema: { id: string }[] }[]> {
  const response = await fetch(new URL('/dataprotector', stack.endpoints.indexer), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { where } }),
  })
  const { data } = (await response.json()) as {
    data: { protectedDatas: { id: string; name: string; schema: { id: string }[] }[] }
  }
  return data.protectedDatas
}

describe('C10: protected data is found', function () {
  this.timeout(90_000)

  it('by owner and by any of several schemas, as soon as it is on the chain', async () => {
    const stack = await sharedStack()
    const owner = await newcomer(stack)
    const made: ProtectDataReturnType[] = []
    for (const data of [{ email: 'a@b.c' }, { telegram_chatId: '1' }, { age: 42 }]) {
      made.push(await protectData(owner, { name: `C10 ${made.length}`, data }))
    }
    const any = [{ schema_contains: ['email:string'] }, { schema_contains: ['telegram_chatId:string'] }]
    const where = { and: [{ owner: owner.account }, { or: any }] }
    // The last one was made last: the indexer has the others when it has that.
    const last = { id: made[2]?.address }
    for (const end = Date.now() + 20_000; (await find(stack, last)).length < 1 && Date.now() < end; );
    expect((await find(stack, where)).map(({ name }) => name)).to.have.members(['C10 0', 'C10 1'])
    const [third] = await find(stack, last)
    expect(third?.schema).to.deep.equal([{ id: 'age:f64' }])
  })
})
