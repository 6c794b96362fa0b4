// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IDeals} from "../../contracts/interfaces/IDeals.sol";
import {Deal, Resource} from "../../contracts/types/Deals.sol";
import {OrderKind} from "../../contracts/types/Orders.sol";
import {Offers} from "./Offers.sol";

/// @title DealsChapter
/// @notice Matches orders that fit and orders that do not, orders that are closed, used up, or of an owner of before.
abstract contract DealsChapter is Offers {
    /// @notice Thrown when an order matched that was closed, used up, or not signed by the owner of its asset.
    error DeadOrderMatched(bytes32 orderHash);

    /// @notice Thrown when the Hub counts the used volume of an order otherwise.
    error VolumeMiscounted(bytes32 orderHash, uint256 expected, uint256 found);

    /// @notice Thrown when a deal does not say what its orders said.
    error DealDiffersFromItsOrders(bytes32 dealId);

    uint256 private constant SMALL = 5;

    function matchOrders(uint256 seed) external action(seed) {
        _match(_quad(_anyWishes()), _someone(), false);
    }

    function sponsorMatchOrders(uint256 seed) external action(seed) {
        _match(_quad(_anyWishes()), _someone(), true);
    }

    /// @dev The rest of a request that was used in part, after the owner of the app went and came back.
    function matchAfterRoundTrip(uint256 seed) external action(seed) {
        Quad memory q = _quad(_anyWishes());
        address owner = _ownerOf(OrderKind.APP, q.app.app);
        if (owner == NOBODY) return;
        _pass(OrderKind.APP, q.app.app, _someone());
        _match(q, _someone(), false);
        _pass(OrderKind.APP, q.app.app, owner);
        _match(q, _someone(), false);
        _match(q, _someone(), true);
    }

    function _pass(OrderKind kind, address entry, address to) internal virtual;

    function _match(Quad memory q, address caller, bool sponsored) internal returns (bytes32 dealId) {
        address payer = sponsored ? caller : q.request.requester;
        uint256 volume = _matchable(q, payer);
        bytes memory data =
            sponsored
                ? abi.encodeCall(IDeals.sponsorMatchOrders, (q.app, q.dataset, q.workerpool, q.request))
                : abi.encodeCall(IDeals.matchOrders, (q.app, q.dataset, q.workerpool, q.request));
        (bool done, bytes memory answer) = _act(caller, data);
        if (done) _checkAlive(q);
        _expect(done == (volume > 0), bytes4(data), done, answer);
        if (!done) return 0;
        dealId = abi.decode(answer, (bytes32));
        _bookDeal(q, payer, volume, dealId);
    }

    /// @dev A deal without anything odd about it, for a task to do; none if an order was not signed.
    function _openDeal(Wishes memory wishes) internal returns (bytes32 dealId) {
        wishes.modest = true;
        for (uint256 i = 0; i < 3 && dealId == 0; ++i) {
            dealId = _match(_quad(wishes), _someone(), false);
        }
    }

    function _bookDeal(Quad memory q, address payer, uint256 volume, bytes32 dealId) internal {
        bytes32 requestHash = _hash(q.request);
        Deal memory expected = _expectedDeal(q, payer, volume);
        bool known = dealId == _taskIdOf(requestHash, expected.botFirst);
        _dealPrints[dealId] = keccak256(abi.encode(expected));
        _timerefOf[dealId] = _timerefs[expected.category];
        require(known && _hasItsPrint(dealId), DealDiffersFromItsOrders(dealId));

        ++_blobs;
        _bookLock(payer, _costOf(expected) * volume);
        _bookLock(expected.workerpool.owner, _stakeOf(expected.workerpool.price) * volume);
        _dealIds.push(dealId);
        _use(_hash(q.app), volume);
        if (_hasDataset(q)) _use(_hash(q.dataset), volume);
        _use(_hash(q.workerpool), volume);
        _use(requestHash, volume);
        for (uint256 i = 0; i < SMALL && i < volume; ++i) {
            _touch(dealId, expected.botFirst + i);
        }
        _touch(dealId, expected.botFirst + volume - 1);
    }

    function _use(bytes32 orderHash, uint256 volume) internal {
        _kept[orderHash].consumed += volume;
        _checkVolume(orderHash);
    }

    function _checkVolume(bytes32 orderHash) internal view {
        (uint256 expected, uint256 found) = (_kept[orderHash].consumed, hub.viewConsumed(orderHash));
        bool within = found <= _kept[orderHash].volume;
        require(found == expected && within, VolumeMiscounted(orderHash, expected, found));
    }

    function _hasItsPrint(bytes32 dealId) internal view returns (bool) {
        return keccak256(abi.encode(hub.viewDeal(dealId))) == _dealPrints[dealId];
    }

    function _expectedDeal(Quad memory q, address payer, uint256 volume) private view returns (Deal memory deal) {
        deal.app = Resource(q.app.app, _ownerOf(OrderKind.APP, q.app.app), q.app.appprice);
        if (_hasDataset(q)) {
            address dataset = q.dataset.dataset;
            deal.dataset = Resource(dataset, _ownerOf(OrderKind.DATASET, dataset), q.dataset.datasetprice);
        }
        address pool = q.workerpool.workerpool;
        uint256 price = q.workerpool.workerpoolprice;
        deal.workerpool = Resource(pool, _ownerOf(OrderKind.WORKERPOOL, pool), price);
        deal.trust = q.request.trust == 0 ? 1 : q.request.trust;
        deal.category = q.request.category;
        deal.tag = _tagOf(q);
        deal.requester = q.request.requester;
        deal.beneficiary = q.request.beneficiary;
        deal.callback = q.request.callback;
        deal.params = q.request.params;
        deal.startTime = _now;
        deal.botFirst = _kept[_hash(q.request)].consumed;
        deal.botSize = volume;
        (uint256 stakeRatio, uint256 rewardRatio) = _policyOf(pool);
        deal.workerStake = (price * stakeRatio) / 100;
        deal.schedulerRewardRatio = rewardRatio;
        deal.sponsor = payer;
    }

    function _checkAlive(Quad memory q) private view {
        bytes32[4] memory hashes = [_hash(q.app), _hash(q.workerpool), _hash(q.request), _hash(q.dataset)];
        for (uint256 i = 0; i < (_hasDataset(q) ? 4 : 3); ++i) {
            require(_isAlive(hashes[i]), DeadOrderMatched(hashes[i]));
        }
    }
}
