// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {TagLib} from "../../contracts/libraries/TagLib.sol";

/// @title Tags, bit by bit
/// @dev Each bit of what TagLib answers comes from the bits at the same place only, so that places can be taken one by one.
contract TagProperties {
    uint256 private constant FIRST_KIND = 1;
    uint256 private constant LAST_KIND = 3;

    /// @notice A deal's tag has a bit where app, request or dataset have it, but the dataset has no say on the kind of
    /// enclave: every bit in all eight cases.
    function test_everyBitIsCombined() external pure {
        for (uint256 place = 0; place < 256; ++place) {
            for (uint256 bits = 0; bits < 8; ++bits) {
                (uint256 app, uint256 dataset, uint256 request) = (bits & 1, (bits >> 1) & 1, bits >> 2);
                bool isKind = place >= FIRST_KIND && place <= LAST_KIND;
                uint256 expected = app | request | (isKind ? 0 : dataset);
                bytes32 tag = TagLib.combine(_at(app, place), _at(dataset, place), _at(request, place));
                assert(tag == _at(expected, place));
                assert(TagLib.needsEnclave(tag) == (place == 0 && bits > 0));
            }
        }
    }

    /// @notice A tag covers another if it has each of its bits: every bit in all four cases.
    function test_everyBitIsCovered() external pure {
        for (uint256 place = 0; place < 256; ++place) {
            for (uint256 bits = 0; bits < 4; ++bits) {
                (uint256 offer, uint256 demand) = (bits & 1, bits >> 1);
                assert(TagLib.covers(_at(offer, place), _at(demand, place)) == (demand <= offer));
            }
        }
    }

    /// @notice Whole tags: covering, combining and asking for an enclave are what they are bit by bit.
    function test_wholeTags(bytes32 app, bytes32 dataset, bytes32 request, bytes32 offer) external pure {
        bytes32 tag = TagLib.combine(app, dataset, request);
        assert(TagLib.covers(tag, app) && TagLib.covers(tag, request));
        assert(TagLib.covers(offer, tag) == (offer | tag == offer));
        assert(TagLib.needsEnclave(tag) == ((uint256(app) | uint256(dataset) | uint256(request)) % 2 == 1));
        assert(TagLib.withoutKind(tag) | (tag & bytes32(uint256(14))) == tag);
    }

    function _at(uint256 bit, uint256 place) private pure returns (bytes32) {
        return bytes32(bit << place);
    }
}
