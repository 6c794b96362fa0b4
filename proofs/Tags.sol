// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {TagLib} from "../contracts/libraries/TagLib.sol";

/// @title Tags: what a deal asks for
/// @notice What takes bits of three tags at once is more than the solver decides: test/proofs/Tags.t.sol.
contract Tags {
    /// @notice A deal asks for whatever the app asks for.
    function theAppIsHeard(bytes32 app, bytes32 dataset, bytes32 request) external pure {
        assert(TagLib.covers(TagLib.combine(app, dataset, request), app));
    }

    /// @notice An enclave is what odd tags ask for.
    function oddTagsNeedAnEnclave(bytes32 tag) external pure {
        assert(TagLib.needsEnclave(tag) == (uint256(tag) % 2 == 1));
    }
}
