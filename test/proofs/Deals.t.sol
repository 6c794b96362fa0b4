// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {DealLib} from "../../contracts/libraries/DealLib.sol";
import {Deal} from "../../contracts/types/Deals.sol";
import {Sizes} from "./Sizes.sol";
import {StorageHarness} from "./StorageHarness.sol";

/// @title Deals are read as they were written, whether or not their numbers fit their slot
contract DealProperties {
    uint256 private constant TERMS = 7;

    StorageHarness private _hub;
    bytes32 private _requestHash;

    function setUp() public {
        _hub = new StorageHarness();
    }

    /// @notice A deal with any addresses, prices up to 96 bits, any tag, params and terms is read as it was written.
    function test_anyDeal(Deal memory deal, uint256[7] calldata terms, uint256 sizes, uint256 gaps) external {
        deal.app.price = Sizes.within(deal.app.price, sizes, 96);
        deal.dataset.price = Sizes.within(deal.dataset.price, sizes >> 10, 96);
        deal.workerpool.price = Sizes.within(deal.workerpool.price, sizes >> 20, 96);
        deal.tag = bytes32(Sizes.any(uint256(deal.tag), sizes >> 30));
        _roundTrip(_withGaps(deal, gaps), _terms(terms, sizes >> 40));
    }

    /// @notice Every combination of what a deal can do without, with narrow terms and with wide ones.
    function test_everyCombination() external {
        uint256[7] memory narrow = [uint256(1), 2, 3, 4, 5, 6, 7];
        uint256[7] memory wide = [uint256(1), 2, 3, 256, 5, 6, 7];
        for (uint256 gaps = 0; gaps < 512; ++gaps) {
            _roundTrip(_withGaps(_fullDeal(), gaps), _asTerms(narrow));
            _roundTrip(_withGaps(_fullDeal(), gaps), _asTerms(wide));
        }
    }

    /// @notice Every term at the end of its place and one past it.
    function test_everyTermAtItsWidth() external {
        uint256[7] memory widths = [uint256(32), 24, 32, 8, 16, 8, 16];
        for (uint256 i = 0; i < TERMS; ++i) {
            for (uint256 past = 0; past < 3; ++past) {
                uint256[7] memory values = [uint256(1), 2, 3, 4, 5, 6, 7];
                values[i] = (1 << widths[i]) - 1 + past;
                bool wide = _hub.isWide(_roundTrip(_fullDeal(), _asTerms(values)));
                assert(wide == (past > 0));
            }
        }
    }

    /// @notice The longest deal is written within the memory that was taken for it.
    function test_theLongestHasItsRoom() external pure {
        Deal memory deal = _fullDeal();
        (deal.dataset.price, deal.workerpool.price) = (type(uint96).max, type(uint96).max);
        // As long as needed to leave nothing of the last word.
        deal.params = "sixteen letters.";
        DealLib.Terms memory terms = _asTerms([uint256(1), 2, 3, 4, 5, 6, 7]);
        bytes memory data = DealLib.encode(deal, bytes32(uint256(1)), terms, true);
        uint256 room;
        assembly ("memory-safe") {
            room := sub(mload(0x40), add(data, 32))
        }
        assert(data.length == 136 + 40 + 60 + 36 + 32 + 32 * TERMS + 16);
        assert(data.length <= room);
    }

    /// @notice The deadline to reveal is kept as it is where 40 bits are enough, and marked where they are not.
    function test_deadlines(uint256 timeref, uint256 sizes) external view {
        timeref = Sizes.within(timeref, sizes, 128);
        uint256 deadline = block.timestamp + 2 * timeref;
        uint256 kept = _hub.narrowDeadline(timeref);
        assert(kept == (deadline < type(uint40).max ? deadline : type(uint40).max));
    }

    function _roundTrip(Deal memory deal, DealLib.Terms memory terms) private returns (bytes32 dealId) {
        _requestHash = keccak256(abi.encode(_requestHash));
        dealId = _hub.writeDeal(_requestHash, deal, terms);
        // What the Hub finds out itself.
        deal.startTime = block.timestamp;
        deal.botFirst = terms.botFirst;
        deal.botSize = terms.botSize;
        deal.category = terms.category;
        deal.trust = terms.trust;
        deal.schedulerRewardRatio = terms.schedulerRewardRatio;
        deal.workerStake = (deal.workerpool.price * terms.workerStakeRatio) / 100;
        (Deal memory found, uint256 timeref) = _hub.readDeal(dealId);
        assert(keccak256(abi.encode(found)) == keccak256(abi.encode(deal)) && timeref == terms.timeref);
        assert(_hub.consumedOfRequest(_requestHash) == terms.botFirst + terms.botSize);
    }

    /// @dev Takes out of the deal what the bits say.
    function _withGaps(Deal memory deal, uint256 gaps) private pure returns (Deal memory) {
        if (gaps & 1 != 0) (deal.dataset.pointer, deal.dataset.owner) = (address(0), address(0));
        // The dataset of no deal has an owner and no address.
        if (deal.dataset.pointer == address(0)) deal.dataset.owner = address(0);
        if (gaps & 2 != 0) deal.callback = address(0);
        if (gaps & 4 != 0) deal.sponsor = deal.requester;
        if (gaps & 8 != 0) deal.beneficiary = deal.requester;
        if (gaps & 16 != 0) deal.beneficiary = address(0);
        if (gaps & 32 != 0) deal.tag = 0;
        if (gaps & 64 != 0) deal.params = "";
        if (gaps & 128 != 0) (deal.app.price, deal.workerpool.price) = (0, 0);
        if (gaps & 256 != 0) deal.dataset.price = 0;
        return deal;
    }

    function _fullDeal() private pure returns (Deal memory deal) {
        deal.app.pointer = address(1);
        deal.app.owner = address(2);
        deal.app.price = type(uint96).max;
        deal.dataset.pointer = address(type(uint160).max);
        deal.dataset.owner = address(4);
        deal.dataset.price = 256;
        deal.workerpool.pointer = address(5);
        deal.workerpool.owner = address(6);
        deal.workerpool.price = 255;
        deal.tag = bytes32(uint256(1 << 255) | 9);
        deal.requester = address(7);
        deal.beneficiary = address(8);
        deal.callback = address(9);
        deal.params = "what the app is told, in more than a word of thirty-two bytes";
        deal.sponsor = address(10);
    }

    function _terms(uint256[7] calldata values, uint256 sizes) private pure returns (DealLib.Terms memory) {
        uint256[7] memory sized;
        for (uint256 i = 0; i < TERMS; ++i) {
            sized[i] = Sizes.any(values[i], sizes >> (10 * i)) >> 1;
        }
        // A price times this must fit a number, or the deal is refused before.
        sized[6] &= type(uint128).max;
        return _asTerms(sized);
    }

    function _asTerms(uint256[7] memory values) private pure returns (DealLib.Terms memory terms) {
        terms.botFirst = values[0];
        terms.botSize = values[1];
        terms.timeref = values[2];
        terms.category = values[3];
        terms.trust = values[4];
        terms.schedulerRewardRatio = values[5];
        terms.workerStakeRatio = values[6];
    }
}
